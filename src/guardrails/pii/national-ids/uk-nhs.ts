import { digitsOf, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** NHS number of England, Wales and the Isle of Man: modulus 11. Its form is that of phone numbers, so it needs a word. */
export const ukNhs: Recogniser = {
  id: "uk-nhs",
  title: "UK NHS number",
  label: "UK_NHS",
  digits: 10,
  pattern: /\b\d{3}([- ]?)\d{3}\1\d{4}\b/g,
  accept(match, says) {
    const digits = digitsOf(match);
    const check = 11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11);
    return check % 11 === digits[9] && says(/\bnhs\b|national\s?health|patient/i);
  },
};
