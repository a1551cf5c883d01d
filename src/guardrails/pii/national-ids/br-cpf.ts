import { digitsOf, weighted } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** Brazilian cadastro de pessoas físicas: two check digits. */
export const brCpf: Recogniser = {
  id: "br-cpf",
  title: "Brazilian CPF",
  label: "BR_CPF",
  digits: 11,
  pattern: /\b\d{3}\.?\d{3}\.?\d{3}-?\d{2}\b/g,
  accept(match) {
    const digits = digitsOf(match);
    return (
      [9, 10].every((length) => {
        const weights = Array.from({ length }, (_, index) => length + 1 - index);
        return ((weighted(digits, weights) * 10) % 11) % 10 === digits[length];
      }) && new Set(digits).size > 1
    );
  },
};
