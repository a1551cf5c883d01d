import type { Recogniser } from "./recogniser.ts";

/** Dates of birth: a date that the words before it say to be one. */
export const dateOfBirth: Recogniser = {
  id: "date-of-birth",
  title: "Date of birth",
  label: "DATE_OF_BIRTH",
  digits: 4,
  pattern:
    /\b(?:19|20)\d{2}([-/.])(?:0?[1-9]|1[0-2])\1(?:3[01]|[12]\d|0?[1-9])\b|\b(?:3[01]|[12]\d|0?[1-9])([-/.] ?)(?:3[01]|[12]\d|0?[1-9])\2(?:(?:19|20)\d{2}|\d{2})\b|\b(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th|\.)?[ -](?:of )?[a-zà-ÿ]{3,10}\.?,?[ -](?:de )?(?:19|20)\d{2}\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.? (?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?,? (?:19|20)\d{2}\b/gi,
  accept: (_match, says) => says(words, "before"),
};

const words =
  /\bborn\b|birth|\bd\.?o\.?b\b|geboren|geburt|\bgeb\.|naissance|\bn[ée]e?\b|nacid|nacimiento|nascid|nascimento|nascita|\bnat[oa]\b|geboorte|urodz|\bur\.|f[öø]dt?\b|f[öø]dsel|syntym|生年月日|出生|рожд/i;
