import { digitsOf, hasMod1110Digit } from "../check-digits.ts";
import type { Recogniser } from "../recogniser.ts";

/** German Steuer-Identifikationsnummer: exactly one digit twice or three times among the first ten, ISO 7064 MOD 11,10. */
export const deSteuerId: Recogniser = {
  id: "de-steuer-id",
  title: "German tax id",
  label: "DE_STEUER_ID",
  digits: 11,
  pattern: /\b[1-9]\d(?:[ /]?\d{3}){3}\b/g,
  accept(match) {
    const digits = digitsOf(match);
    const counts = Map.groupBy(digits.slice(0, 10), (digit) => digit);
    const repeated = [...counts.values()].filter(({ length }) => length > 1);
    return repeated.length === 1 && (repeated[0]?.length ?? 0) <= 3 && hasMod1110Digit(digits);
  },
};
