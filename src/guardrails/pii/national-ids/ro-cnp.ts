import { digitsOf, isDate, pair, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Romanian cod numeric personal: sex, date, county, serial and a check digit. */
export const roCnp: Recogniser = {
  id: "ro-cnp",
  title: "Romanian CNP",
  label: "RO_CNP",
  digits: 13,
  pattern: /\b[1-9]\d{12}\b/g,
  accept(match) {
    const digits = digitsOf(match);
    const rest = weighted(digits, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    const isBirthday = isDate(2000 + pair(digits, 1), pair(digits, 3), pair(digits, 5));
    return (rest === 10 ? 1 : rest) === digits[12] && isBirthday && pair(digits, 7) <= 52;
  },
};
