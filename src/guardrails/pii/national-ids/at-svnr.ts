import { digitsOf, pair, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Austrian Sozialversicherungsnummer: a check digit in the fourth place, a date, and a word. */
export const atSvnr: Recogniser = {
  id: "at-svnr",
  title: "Austrian social insurance number",
  label: "AT_SVNR",
  digits: 10,
  pattern: /\b[1-9]\d{3} ?\d{6}\b/g,
  accept(match, says) {
    const digits = digitsOf(match);
    const check = weighted(digits, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11;
    const isBirthday = pair(digits, 4) <= 31 && pair(digits, 6) <= 15;
    return check === digits[3] && isBirthday && says(/sv-?nr|sozialversicherung|versicherungsnummer|\bsvn\b/i);
  },
};
