import { digitsOf, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Irish personal public service number: a letter modulo 23, and a word. */
export const iePps: Recogniser = {
  id: "ie-pps",
  title: "Irish PPS number",
  label: "IE_PPS",
  digits: 7,
  pattern: /\b\d{7}[A-W][A-IW]?\b/gi,
  accept(match, says) {
    const code = match.toUpperCase();
    const second = code.length === 9 ? "WABCDEFGHI".indexOf(code[8] ?? "") * 9 : 0;
    const check = (weighted(digitsOf(code), [8, 7, 6, 5, 4, 3, 2]) + second) % 23;
    return "WABCDEFGHIJKLMNOPQRSTUV"[check] === code[7] && says(/\bpps(?:n|\b)|personal public/i);
  },
};
