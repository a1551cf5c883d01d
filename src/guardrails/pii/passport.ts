import type { Recogniser } from "./recogniser.ts";

/** Numbers of passports: what the words before them say to be one. */
export const passport: Recogniser = {
  id: "passport",
  title: "Passport",
  label: "PASSPORT",
  digits: 5,
  pattern: /\b[A-Z]{0,2}\d{5,9}[A-Z]{0,2}\b|\b[CFGHJKLMNPRTVWXYZ][0-9CFGHJKLMNPRTVWXYZ]{8}\d?\b/gi,
  accept: (match, says) => match.replace(/\D/g, "").length >= 5 && match.length >= 6 && says(words),
};

const words = /passport|reisepass|passeport|pasaporte|passaporto|paspoort|paszport|\bpass-?(?:nr|no|nummer)/i;
