import { digitsOf, hasLuhnDigit } from "./check-digits.ts";
import type { Recogniser } from "./recogniser.ts";

/**
 * Numbers of payment cards: a brand's first digits and length, a Luhn digit (ISO/IEC 7812-1), in groups as they are printed
 * or in one.
 */
export const creditCard: Recogniser = {
  id: "credit-card",
  title: "Payment card",
  label: "CREDIT_CARD",
  digits: 13,
  pattern:
    /\b[2-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,4}(?:[ -]?\d{3})?\b|\b3\d{3}[ -]?\d{6}[ -]?\d{4,5}\b|\b3[05]\d{2}(?:[ -]?\d{4}){3}\b/g,
  trim(match) {
    for (const length of [match.length, 19, 18, 17, 16, 15]) {
      if (length <= match.length && !/\d/.test(match[length] ?? "") && isCard(match.slice(0, length))) return length;
    }
    return 0;
  },
};

function isCard(text: string): boolean {
  const digits = digitsOf(text);
  const number = digits.join("");
  return (
    /\d$/.test(text) && brands.some((brand) => brand.test(number)) && hasLuhnDigit(digits) && new Set(digits).size > 1
  );
}

const brands: readonly RegExp[] = [
  /^4(?:\d{12}|\d{15}|\d{18})$/, // Visa
  /^(?:5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d{2}|7[01]\d|720)\d{12})$/, // Mastercard
  /^3[47]\d{13}$/, // American Express
  /^(?:3(?:0[0-5]|09|[689]\d)\d{11}|3(?:0[0-5]|09|[689]\d)\d{13})$/, // Diners Club
  /^(?:6011|64[4-9]\d|65\d{2}|622\d)\d{12}$/, // Discover
  /^35(?:2[89]|[3-8]\d)\d{12}$/, // JCB
  /^62\d{14,17}$/, // UnionPay
  /^(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{9,15}$/, // Maestro
  /^(?:60|65|81|82|508)\d{13,14}$/, // RuPay
  /^220[0-4]\d{12}$/, // Mir
];
