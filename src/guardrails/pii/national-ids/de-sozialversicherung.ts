import { digitsOf, pair } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** German Versicherungsnummer (VKVV, section 2): area, birthday, letter, serial and a check digit. */
export const deSozialversicherung: Recogniser = {
  id: "de-sozialversicherung",
  title: "German social insurance number",
  label: "DE_SVNR",
  digits: 11,
  pattern: /\b\d{2}[ ]?\d{6}[ ]?[A-Z][ ]?\d{3}\b/g,
  accept(match) {
    const letter = match.replaceAll(" ", "").charCodeAt(8) - 64;
    const plain = digitsOf(match);
    const digits = [...plain.slice(0, 8), Math.trunc(letter / 10), letter % 10, ...plain.slice(8, 10)];
    const sums = digits.map((digit, index) => digitSum(digit * (weights[index] ?? 0)));
    return sums.reduce((sum, each) => sum + each, 0) % 10 === plain[10] && isDay(pair(plain, 2), pair(plain, 4));
  },
};

const weights = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];

function digitSum(value: number): number {
  return Math.trunc(value / 10) + (value % 10);
}

function isDay(day: number, month: number): boolean {
  return day >= 1 && day <= 31 && month <= 12;
}
