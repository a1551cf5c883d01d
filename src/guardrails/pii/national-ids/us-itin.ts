import type { Recogniser } from "../recogniser.ts";

/** US individual taxpayer identification number: as a social security number, from 900 on, with groups of its own. */
export const usItin: Recogniser = {
  id: "us-itin",
  title: "US individual taxpayer number",
  label: "US_ITIN",
  digits: 9,
  pattern: /\b9\d{2}([- ]?)(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\1\d{4}\b/g,
  accept: (match, says) => match.length === 11 || says(/\bitin\b|taxpayer/i),
};
