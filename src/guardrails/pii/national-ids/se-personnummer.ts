import { digitsOf, hasLuhnDigit, isDate, pair } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Swedish personnummer or samordningsnummer: a date, a serial, a Luhn digit. */
export const sePersonnummer: Recogniser = {
  id: "se-personnummer",
  title: "Swedish personnummer",
  label: "SE_PERSONNUMMER",
  digits: 10,
  pattern: /\b(?:(?:19|20)\d{6}-?\d{4}|\d{6}[-+]\d{4})\b/g,
  accept(match) {
    const digits = digitsOf(match).slice(-10);
    const day = pair(digits, 4);
    return hasLuhnDigit(digits) && isDate(2000 + pair(digits, 0), pair(digits, 2), day > 60 ? day - 60 : day);
  },
};
