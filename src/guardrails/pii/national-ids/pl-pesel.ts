import { digitsOf, isDate, pair, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Polish PESEL: a date of birth with the century in its month, and a check digit. */
export const plPesel: Recogniser = {
  id: "pl-pesel",
  title: "Polish PESEL",
  label: "PL_PESEL",
  digits: 11,
  pattern: /\b\d{11}\b/g,
  accept(match) {
    const digits = digitsOf(match);
    const month = pair(digits, 2);
    const year = ([1900, 2000, 2100, 2200, 1800][Math.trunc(month / 20)] ?? 0) + pair(digits, 0);
    const check = (10 - (weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10;
    return check === digits[10] && isDate(year, month % 20, pair(digits, 4));
  },
};
