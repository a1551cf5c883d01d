import { digitsOf, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Swiss AHV number: an EAN-13 of the country 756. */
export const chAhv: Recogniser = {
  id: "ch-ahv",
  title: "Swiss AHV number",
  label: "CH_AHV",
  digits: 13,
  pattern: /\b756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}\b/g,
  accept(match) {
    const digits = digitsOf(match);
    return (10 - (weighted(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10)) % 10 === digits[12];
  },
};
