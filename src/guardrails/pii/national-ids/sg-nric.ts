import { digitsOf, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Singaporean national registration identity card or foreign identification number: a letter modulo 11. */
export const sgNric: Recogniser = {
  id: "sg-nric",
  title: "Singaporean NRIC or FIN",
  label: "SG_NRIC",
  digits: 7,
  pattern: /\b[STFGM]\d{7}[A-Z]\b/gi,
  accept(match) {
    const code = match.toUpperCase();
    const sum = weighted(digitsOf(code), [2, 7, 6, 5, 4, 3, 2]);
    const offset = { T: 4, G: 4, M: 3 }[code[0] ?? ""] ?? 0;
    const letters = /[ST]/.test(code[0] ?? "") ? "JZIHGFEDCBA" : code.startsWith("M") ? "KLJNPQRTUWX" : "XWUTRQPNMLK";
    const place = (sum + offset) % 11;
    return letters[code.startsWith("M") ? 10 - place : place] === code.at(-1);
  },
};
