import { digitsOf, isDate, pair } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Finnish henkilötunnus: a date, a sign of the century, a serial and a character modulo 31. */
export const fiHetu: Recogniser = {
  id: "fi-hetu",
  title: "Finnish personal identity code",
  label: "FI_HETU",
  digits: 9,
  pattern: /\b\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]\b/gi,
  accept(match) {
    const digits = digitsOf(match.slice(0, 10));
    const check = "0123456789ABCDEFHJKLMNPRSTUVWXY"[Number(digits.join("")) % 31];
    return check === match.at(-1)?.toUpperCase() && isDate(2000 + pair(digits, 4), pair(digits, 2), pair(digits, 0));
  },
};
