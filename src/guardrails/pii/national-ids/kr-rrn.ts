import { digitsOf, isDate, pair } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Korean resident registration number: a date, the sex, six digits. */
export const krRrn: Recogniser = {
  id: "kr-rrn",
  title: "Korean resident registration number",
  label: "KR_RRN",
  digits: 13,
  pattern: /\b\d{6}-[1-8]\d{6}\b/g,
  accept(match) {
    const digits = digitsOf(match);
    // Numbers of 2020 and later have no check digit.
    return isDate(2000 + pair(digits, 0), pair(digits, 2), pair(digits, 4));
  },
};
