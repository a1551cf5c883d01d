import { digitsOf, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Portuguese número de identificação fiscal: modulus 11, and a word. */
export const ptNif: Recogniser = {
  id: "pt-nif",
  title: "Portuguese tax number",
  label: "PT_NIF",
  digits: 9,
  pattern: /\b[1235689]\d{2}[ .]?\d{3}[ .]?\d{3}\b/g,
  accept(match, says) {
    const digits = digitsOf(match);
    const rest = weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    return (rest < 2 ? 0 : 11 - rest) === digits[8] && says(/\bnif\b|contribuinte|\bnipc\b/i);
  },
};
