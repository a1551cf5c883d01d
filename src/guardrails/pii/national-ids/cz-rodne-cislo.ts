import { digitsOf, isDate, pair, remainder } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Czech rodné číslo, Slovak rodné číslo: a date, divisible by eleven; with its slash or a word. */
export const czRodneCislo: Recogniser = {
  id: "cz-rodne-cislo",
  title: "Czech or Slovak birth number",
  label: "CZ_RODNE_CISLO",
  digits: 10,
  pattern: /\b\d{6}\/?\d{4}\b/g,
  accept(match, says) {
    const digits = digitsOf(match);
    const month = pair(digits, 2) % 50;
    const isBirthday = isDate(2000 + pair(digits, 0), month > 20 ? month - 20 : month, pair(digits, 4));
    const isSound = isBirthday && remainder(digits.slice(0, 9), 11) % 10 === digits[9];
    return isSound && (match.includes("/") || says(/rodn[eé]|\br\.?\s?[cč]\./i));
  },
};
