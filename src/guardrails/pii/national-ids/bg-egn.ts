import { digitsOf, isDate, pair, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Bulgarian unified civil number: a date, a check digit, and a word. */
export const bgEgn: Recogniser = {
  id: "bg-egn",
  title: "Bulgarian EGN",
  label: "BG_EGN",
  digits: 10,
  pattern: /\b\d{10}\b/g,
  accept(match, says) {
    const digits = digitsOf(match);
    const check = (weighted(digits, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11) % 10;
    const isBirthday = isDate(2000 + pair(digits, 0), pair(digits, 2) % 20, pair(digits, 4));
    return check === digits[9] && isBirthday && says(/\begn\b|егн/i);
  },
};
