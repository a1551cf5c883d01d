import { digitsOf, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Australian Medicare number: a check digit in the ninth place, and a word. */
export const auMedicare: Recogniser = {
  id: "au-medicare",
  title: "Australian Medicare number",
  label: "AU_MEDICARE",
  digits: 10,
  pattern: /\b[2-6]\d{3}[ -]?\d{5}[ -]?\d(?:[ /-]?\d)?\b/g,
  accept(match, says) {
    const digits = digitsOf(match);
    return weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === digits[8] && says(/medicare/i);
  },
};
