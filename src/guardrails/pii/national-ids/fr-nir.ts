import { digitsOf, pair, remainder } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** French numéro d'inscription au répertoire: sex, month of birth, place, order and a key modulo 97. */
export const frNir: Recogniser = {
  id: "fr-nir",
  title: "French social security number",
  label: "FR_NIR",
  digits: 12,
  pattern: /\b[1-478] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}\b/gi,
  accept(match) {
    const text = match.replaceAll(" ", "").toUpperCase();
    // Corsica's letters count as 19 and 18 (INSEE).
    const digits = digitsOf(text.slice(0, 13).replace("2A", "19").replace("2B", "18"));
    const month = pair(digits, 3);
    const isMonth = (month >= 1 && month <= 12) || (month >= 20 && month <= 42) || month >= 50;
    return isMonth && 97 - remainder(digits, 97) === Number(text.slice(13));
  },
};
