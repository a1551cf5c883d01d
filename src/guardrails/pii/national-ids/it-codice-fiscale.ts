import type { Recogniser } from "../recogniser.ts";

/** Italian codice fiscale (decreto 23 December 1976), with letters in place of digits where two people would be alike. */
export const itCodiceFiscale: Recogniser = {
  id: "it-codice-fiscale",
  title: "Italian codice fiscale",
  label: "IT_CODICE_FISCALE",
  digits: 7,
  pattern: /\b[A-Z]{3} ?[A-Z]{3} ?[0-9LMNP-V]{2}[A-EHLMPR-T][0-9LMNP-V]{2} ?[A-Z][0-9LMNP-V]{3}[A-Z]\b/gi,
  accept(match) {
    const code = match.replaceAll(" ", "").toUpperCase();
    const sum = Array.from(code.slice(0, 15)).reduce((total, character, index) => {
      const value = Number.isNaN(Number(character)) ? character.charCodeAt(0) - 65 : Number(character);
      return total + (index % 2 === 0 ? (oddValues[value] ?? 0) : value);
    }, 0);
    return sum % 26 === code.charCodeAt(15) - 65;
  },
};

/** Of the characters in odd places: `A` and `0` first. */
const oddValues = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
