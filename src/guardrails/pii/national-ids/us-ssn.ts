import type { Recogniser } from "../recogniser.ts";

/** US social security number: nine digits without a check; areas, groups and serials of zeros are not given out. Bare digits need a word. */
export const usSsn: Recogniser = {
  id: "us-ssn",
  title: "US social security number",
  label: "US_SSN",
  digits: 9,
  pattern: /\b\d{3}([- ]?)\d{2}\1\d{4}\b/g,
  accept: (match, says) => !/^(?:000|666|9)|^\d{3}\D?00|0000$/.test(match) && (match.length === 11 || says(words)),
};

const words = /\bssns?\b|social\s?security|\bss\s?(?:#|no\b|number)|\bsoc\s?sec\b/i;
