import type { Recogniser } from "./recogniser.ts";

/** International bank account numbers: the country's length, and the check modulo 97 (ISO 13616). */
export const iban: Recogniser = {
  id: "iban",
  title: "Bank account (IBAN)",
  label: "IBAN",
  digits: 10,
  pattern: /\b[A-Z]{2}\d{2}[ -]?(?:[A-Z0-9]{4}[ -]?){2,7}[A-Z0-9]{0,3}(?![A-Z0-9])/gi,
  trim: lengthOf,
};

/** Units of the number at the text's begin; 0 when there is none. What follows it may look as if it were a part. */
function lengthOf(text: string): number {
  const length = lengths[text.slice(0, 2).toUpperCase()];
  if (length === undefined) return 0;
  let end = 0;
  let rest = 0;
  let head = 0;
  let count = 0;
  for (; end < text.length && count < length; end += 1) {
    const value = valueOf(text.charCodeAt(end));
    if (value < 0) continue;
    count += 1;
    // The first four come last in the sum.
    if (count <= 4) head = value > 9 ? head * 100 + value : head * 10 + value;
    else rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return count === length && (rest * 1_000_000 + head) % 97 === 1 ? end : 0;
}

function valueOf(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  return letter >= 97 && letter <= 122 ? letter - 87 : -1;
}

/** Of the SWIFT registry of IBANs. */
const lengths: Readonly<Record<string, number>> = Object.fromEntries(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 " +
    "FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 " +
    "LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 " +
    "RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
  )
    .split(" ")
    .map((each) => [each.slice(0, 2), Number(each.slice(2))]),
);
