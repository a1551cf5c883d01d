import { digitsOf, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Australian tax file number: a sum divisible by eleven, and a word. */
export const auTfn: Recogniser = {
  id: "au-tfn",
  title: "Australian tax file number",
  label: "AU_TFN",
  digits: 9,
  pattern: /\b\d{3}([- ]?)\d{3}\1\d{3}\b/g,
  accept: (match, says) =>
    weighted(digitsOf(match), [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0 && says(/\btfn\b|tax\s?file/i),
};
