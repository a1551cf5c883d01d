import { digitsOf, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Chilean rol único tributario: a character modulo 11 behind a dash. */
export const clRut: Recogniser = {
  id: "cl-rut",
  title: "Chilean RUT",
  label: "CL_RUT",
  digits: 7,
  pattern: /\b\d{1,2}\.?\d{3}\.?\d{3}-[0-9K]\b/gi,
  accept(match) {
    const digits = digitsOf(match.slice(0, -2)).toReversed();
    const check = 11 - (weighted(digits, [2, 3, 4, 5, 6, 7, 2, 3]) % 11);
    return "0123456789K0"[check] === match.at(-1)?.toUpperCase();
  },
};
