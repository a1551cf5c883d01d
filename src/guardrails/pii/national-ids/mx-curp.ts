import { digitsOf, pair } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Mexican clave única de registro de población: letters of the name, a date, sex, state. */
export const mxCurp: Recogniser = {
  id: "mx-curp",
  title: "Mexican CURP",
  label: "MX_CURP",
  digits: 7,
  pattern: /\b[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-Z]{3}[0-9A-Z]\d\b/gi,
  accept: (match) => pair(digitsOf(match), 2) <= 12 && pair(digitsOf(match), 4) <= 31,
};
