import { digitsOf, isDate, pair, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Norwegian fødselsnummer or D-nummer: a date and two check digits modulo 11. */
export const noFodselsnummer: Recogniser = {
  id: "no-fodselsnummer",
  title: "Norwegian birth number",
  label: "NO_FODSELSNUMMER",
  digits: 11,
  pattern: /\b\d{6} ?\d{5}\b/g,
  accept(match) {
    const digits = digitsOf(match);
    const day = pair(digits, 0);
    const isChecked = [
      [3, 7, 6, 1, 8, 9, 4, 5, 2, 1],
      [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1],
    ].every((weights) => weighted(digits, weights) % 11 === 0);
    return isChecked && isDate(2000 + pair(digits, 4), pair(digits, 2) % 40, day > 40 ? day - 40 : day);
  },
};
