import { digitsOf, hasVerhoeffDigit } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Indian Aadhaar number: a Verhoeff digit. In three groups, or with a word. */
export const inAadhaar: Recogniser = {
  id: "in-aadhaar",
  title: "Indian Aadhaar number",
  label: "IN_AADHAAR",
  digits: 12,
  pattern: /\b[2-9]\d{3}([- ]?)\d{4}\1\d{4}\b/g,
  accept: (match, says) =>
    hasVerhoeffDigit(digitsOf(match)) && (match.length === 14 || says(/aadhaar|aadhar|\buidai\b|\buid\b/i)),
};
