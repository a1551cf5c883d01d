import { digitsOf, pair, remainder } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Belgian rijksregisternummer: a date, a serial and a key modulo 97, of who is born from 2000 on with a 2 before. */
export const beRijksregister: Recogniser = {
  id: "be-rijksregister",
  title: "Belgian national number",
  label: "BE_RIJKSREGISTER",
  digits: 11,
  pattern: /\b\d{2}[. ]?\d{2}[. ]?\d{2}[- ]?\d{3}[. ]?\d{2}\b/g,
  accept(match) {
    const digits = digitsOf(match);
    const [month, day, key] = [pair(digits, 2), pair(digits, 4), pair(digits, 9)];
    const isKey = [digits.slice(0, 9), [2, ...digits.slice(0, 9)]].some((each) => 97 - remainder(each, 97) === key);
    return isKey && month % 20 <= 12 && month < 60 && day <= 31; // BIS numbers add 20 or 40 to the month
  },
};
