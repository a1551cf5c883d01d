import { digitsOf, isDate, pair } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Danish CPR number: a date and four digits. */
export const dkCpr: Recogniser = {
  id: "dk-cpr",
  title: "Danish CPR number",
  label: "DK_CPR",
  digits: 10,
  pattern: /\b\d{6}[- ]?\d{4}\b/g,
  accept(match, says) {
    const digits = digitsOf(match);
    // The check digit is not kept since 2007: the date and the form, or a word, must do.
    const isBirthday = isDate(2000 + pair(digits, 4), pair(digits, 2), pair(digits, 0));
    return isBirthday && (match.includes("-") || says(/\bcpr\b|personnummer/i));
  },
};
