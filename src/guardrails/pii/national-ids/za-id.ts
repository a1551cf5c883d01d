import { digitsOf, hasLuhnDigit, isDate, pair } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** South African identity number: a date, sex, citizenship and a Luhn digit. */
export const zaId: Recogniser = {
  id: "za-id",
  title: "South African identity number",
  label: "ZA_ID",
  digits: 13,
  pattern: /\b\d{6} ?\d{4} ?[012]\d{2}\b/g,
  accept(match) {
    const digits = digitsOf(match);
    return hasLuhnDigit(digits) && isDate(2000 + pair(digits, 0), pair(digits, 2), pair(digits, 4));
  },
};
