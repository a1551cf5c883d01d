import type { Recogniser } from "./recogniser.ts";

/** Numbers of driving licences: the form of Great Britain's, or what the words before them say to be one. */
export const drivingLicence: Recogniser = {
  id: "driving-licence",
  title: "Driving licence",
  label: "DRIVING_LICENCE",
  digits: 5,
  pattern:
    /\b[A-Z9]{5}\d[0156]\d[0-3]\d{2}[A-Z9]{2}\d[A-Z]{2}\b|\b[A-Z]{0,3}[- ]?\d{2,4}[- ]?\d{2,6}[- ]?\d{0,6}[A-Z0-9]{0,4}\b/gi,
  accept: (match, says) => britain.test(match) || (match.replace(/[^0-9A-Z]/gi, "").length >= 6 && says(words)),
};

const britain = /^[A-Z]{1,5}9{0,4}\d[0156]\d[0-3]\d{2}[A-Z9]{2}\d[A-Z]{2}$/;

const words =
  /driv(?:er'?s?|ing)[ -]?(?:licen[cs]e|permit)|f[üu]hrerschein|permis de conduire|permiso de conduc|licencia de conduc|patente di guida|rijbewijs|\bdl\s?(?:#|no\b|number)/i;
