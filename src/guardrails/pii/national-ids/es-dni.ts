import type { Recogniser } from "../recogniser.ts";

/** Spanish documento nacional de identidad, and the number of foreigners: a letter modulo 23. */
export const esDni: Recogniser = {
  id: "es-dni",
  title: "Spanish DNI or NIE",
  label: "ES_DNI",
  digits: 7,
  pattern: /\b(?:\d{2}\.?\d{3}\.?\d{3}|[XYZ][- ]?\d{7})[- ]?[A-HJ-NP-TV-Z]\b/gi,
  accept(match) {
    const code = match.replace(/[^0-9A-Za-z]/g, "").toUpperCase();
    const number = Number(code.slice(0, -1).replace(/^[XYZ]/, (letter) => String("XYZ".indexOf(letter))));
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] === code.at(-1);
  },
};
