import { digitsOf, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Turkish kimlik numarası: two check digits. */
export const trKimlik: Recogniser = {
  id: "tr-kimlik",
  title: "Turkish identity number",
  label: "TR_KIMLIK",
  digits: 11,
  pattern: /\b[1-9]\d{10}\b/g,
  accept(match) {
    const digits = digitsOf(match);
    const tenth = weighted(digits, [7, -1, 7, -1, 7, -1, 7, -1, 7]) % 10;
    const eleventh = weighted(digits, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]) % 10;
    return (tenth + 10) % 10 === digits[9] && eleventh === digits[10];
  },
};
