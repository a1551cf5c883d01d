import { digitsOf, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Japanese individual number: modulus 11, and a word. */
export const jpMyNumber: Recogniser = {
  id: "jp-my-number",
  title: "Japanese My Number",
  label: "JP_MY_NUMBER",
  digits: 12,
  pattern: /\b\d{4}([- ]?)\d{4}\1\d{4}\b/g,
  accept(match, says) {
    const digits = digitsOf(match);
    const rest = weighted(digits, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    return (rest < 2 ? 0 : 11 - rest) === digits[11] && says(/my\s?number|マイナンバー|個人番号/i);
  },
};
