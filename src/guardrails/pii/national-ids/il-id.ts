import { digitsOf, hasLuhnDigit } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Israeli teudat zehut: a Luhn digit, and a word. */
export const ilId: Recogniser = {
  id: "il-id",
  title: "Israeli identity number",
  label: "IL_ID",
  digits: 9,
  pattern: /\b\d{8}-?\d\b/g,
  accept: (match, says) => hasLuhnDigit(digitsOf(match)) && says(/teudat|t\.?z\.?\b|israeli id|תעודת|ת\.ז/i),
};
