import { digitsOf, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Dutch burgerservicenummer: the eleven test. One number in eleven passes it, so it needs a word. */
export const nlBsn: Recogniser = {
  id: "nl-bsn",
  title: "Dutch BSN",
  label: "NL_BSN",
  digits: 8,
  pattern: /\b\d{3,4}[. ]?\d{2}[. ]?\d{3}\b|\b\d{3}[. ]\d{3}[. ]\d{3}\b/g,
  accept(match, says) {
    const digits = digitsOf(match);
    const padded = digits.length === 8 ? [0, ...digits] : digits;
    const isSound = weighted(padded, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;
    return isSound && says(/\bbsn\b|burgerservice|sofi-?nummer|citizen service/i);
  },
};
