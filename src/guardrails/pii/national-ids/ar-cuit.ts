import { digitsOf, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Argentine CUIT or CUIL: modulus 11; with its dashes or a word. */
export const arCuit: Recogniser = {
  id: "ar-cuit",
  title: "Argentine CUIT or CUIL",
  label: "AR_CUIT",
  digits: 11,
  pattern: /\b(?:2[03457]|3[034])-?\d{8}-?\d\b/g,
  accept(match, says) {
    const digits = digitsOf(match);
    const check = 11 - (weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11);
    return check % 11 === digits[10] && (match.includes("-") || says(/\bcui[tl]\b/i));
  },
};
