import type { Recogniser } from "../recogniser.ts";

/** UK national insurance number (HMRC manual NIM39110): prefixes that are given out, and a suffix. */
export const ukNino: Recogniser = {
  id: "uk-nino",
  title: "UK national insurance number",
  label: "UK_NINO",
  digits: 6,
  pattern: /\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[A-D]\b/gi,
};
