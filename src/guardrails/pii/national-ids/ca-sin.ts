import { digitsOf, hasLuhnDigit } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Canadian social insurance number: a Luhn digit. In three groups, or with a word. */
export const caSin: Recogniser = {
  id: "ca-sin",
  title: "Canadian social insurance number",
  label: "CA_SIN",
  digits: 9,
  pattern: /\b[1-9]\d{2}([- ]?)\d{3}\1\d{3}\b/g,
  accept: (match, says) =>
    hasLuhnDigit(digitsOf(match)) && (match.length === 11 || says(/\bsin\b|social\s?insurance|\bnas\b/i)),
};
