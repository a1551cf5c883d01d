import type { Recogniser } from "../recogniser.ts";

/** Indian permanent account number: the fourth letter is the kind of holder. */
export const inPan: Recogniser = {
  id: "in-pan",
  title: "Indian permanent account number",
  label: "IN_PAN",
  digits: 4,
  pattern: /\b[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]\b/g,
};
