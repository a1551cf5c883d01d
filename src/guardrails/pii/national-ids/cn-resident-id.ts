import { digitsOf, isDate, pair, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Chinese resident identity number (GB 11643): area, date, serial, ISO 7064 MOD 11-2. */
export const cnResidentId: Recogniser = {
  id: "cn-resident-id",
  title: "Chinese resident identity number",
  label: "CN_RESIDENT_ID",
  digits: 17,
  pattern: /\b[1-9]\d{5}(?:18|19|20)\d{9}[0-9X]\b/gi,
  accept(match) {
    const digits = digitsOf(match.slice(0, 17));
    const check = "10X98765432"[weighted(digits, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11];
    const year = pair(digits, 6) * 100 + pair(digits, 8);
    return check === match.at(-1)?.toUpperCase() && isDate(year, pair(digits, 10), pair(digits, 12));
  },
};
