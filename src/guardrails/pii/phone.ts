import { createRequire } from "node:module";
import type * as PhonePackage from "libphonenumber-js/min";
import type { Recogniser } from "./recogniser.ts";

/** Of a country of ISO 3166, alpha-2, or of a calling code: how many digits its numbers have, by libphonenumber. */
interface NumberPlan {
  readonly lengths: ReadonlySet<number>;
  /** What is dialled before a number within the country; mostly `0`. */
  readonly trunk: string;
}

/** The numbers of the world's countries. */
export interface PhonePlans {
  readonly ofCountry: ReadonlyMap<string, NumberPlan>;
  readonly ofCode: ReadonlyMap<string, NumberPlan>;
}

/** Loads libphonenumber, and takes out of it what is needed: asking it about each candidate would take too long. */
export function loadPhonePlans(): PhonePlans {
  const { Metadata, getCountries, getCountryCallingCode } = loadPackage();
  const ofCountry = new Map<string, NumberPlan>();
  const ofCode = new Map<string, NumberPlan>();
  const metadata = new Metadata();
  for (const country of getCountries()) {
    metadata.selectNumberingPlan(country);
    // The package's types leave out what of a plan is not dialled from abroad.
    const plan = metadata.numberingPlan as unknown as { possibleLengths(): number[]; nationalPrefix(): string | null };
    const trunk = plan.nationalPrefix();
    const own = { lengths: new Set(plan.possibleLengths()), trunk: typeof trunk === "string" ? trunk : "" };
    ofCountry.set(country, own);
    const code = getCountryCallingCode(country);
    const { lengths } = ofCode.get(code) ?? { lengths: new Set<number>() };
    ofCode.set(code, { lengths: lengths.union(own.lengths), trunk: own.trunk });
  }
  return { ofCountry, ofCode };
}

/**
 * Phone numbers. With `+` or `00` those of every country; without, of the given ones, where the form is that of a phone
 * number or a word says so.
 */
export function phoneRecogniser({ ofCode }: PhonePlans, countries: readonly NumberPlan[]): Recogniser {
  const isPhone = (text: string, isNamed: () => boolean): boolean => {
    const number = text.replace(/ ?(?:x|ext).*$/i, "");
    const digits = number.replace(/\D/g, "");
    if (digits.length < 7 || digits.length > 17) return false;
    if (/^\+|^00/.test(number)) return isInternational(number.replace("(0)", "").replace(/^00|\D/g, ""), ofCode);
    if (!looksNational(number, digits.length) && !isNamed()) return false;
    return countries.some((plan) => isNational(digits, plan));
  };
  return {
    id: "phone",
    title: "Phone number",
    label: "PHONE",
    digits: 7,
    pattern: /(?<![\w+.])\+?\(?\d(?:[ ./()-]{0,3}\d){6,16}(?: ?(?:x|ext\.?|extension) ?\d{1,6})?(?!\w)/gi,
    trim(match, before) {
      let named: boolean | undefined;
      const isNamed = (): boolean => (named ??= isNamedBy(before()));
      if (!mayBegin.test(match) && !isNamed()) return 0;
      // What follows a number may look as if it went on: then less of it is one.
      for (let end = match.length; end >= 7; end = groupBefore(match, end)) {
        if (isPhone(match.slice(0, end), isNamed)) return end;
      }
      return 0;
    },
  };
}

/** Where the last group of digits before `end` begins, without what stands before it. */
function groupBefore(match: string, end: number): number {
  let at = end - 1;
  while (at > 0 && !isGap(match, at)) at -= 1;
  while (at > 0 && isGap(match, at - 1)) at -= 1;
  return at;
}

function isGap(match: string, at: number): boolean {
  const character = match[at];
  return character === " " || character === "." || character === "/" || character === "-";
}

function isInternational(digits: string, ofCode: PhonePlans["ofCode"]): boolean {
  for (const length of [1, 2, 3]) {
    const plan = ofCode.get(digits.slice(0, length));
    if (plan !== undefined) return plan.lengths.has(digits.length - length);
  }
  return false;
}

function isNational(digits: string, { lengths, trunk }: NumberPlan): boolean {
  if (trunk !== "" && digits.startsWith(trunk)) return lengths.has(digits.length - trunk.length);
  return lengths.has(digits.length);
}

function isNamedBy(before: string): boolean {
  return /[a-z\u00c0-\uffff]{2}/i.test(before) && words.test(before);
}

/** How numbers begin that need no word. */
const mayBegin =
  /^(?:\+|\(?0|(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])\d{3}[ .-]\d{4}|\(\d{2}\) ?\d{4}|[6-9]\d{4}[ -]\d{5}|[6-9]\d{2}(?: \d{2}){3})/;

/** Groups as people write phone numbers: an area in brackets, a trunk zero, 3-3-4. Never a date. */
function looksNational(number: string, digits: number): boolean {
  if (/^\d{1,2}[-/. ]\d{1,2}[-/. ]\d{4}\b/.test(number)) return false;
  if (/^(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])\d{3}[ .-]\d{4}$/.test(number)) return true;
  if (
    /^\(\d{2}\) ?\d{4,5}[ -]\d{4}$|^0?[6-9]\d{4}[ -]\d{5}$|^[6-9]\d{2}(?: \d{2}){3}$|^0\d(?:\.\d{2}){4}$/.test(number)
  )
    return true;
  return digits >= 9 && digits <= 12 && /^\(0\d{1,4}\) ?\d|^0\d{1,4}[ /-]\d[\d -]*$/.test(number);
}

const words =
  /(?:\btel|\bphone|phone\b|\bcall\b|\bcell|\bmobile?\b|\bfax\b|whatsapp|\bsms\b|\btext(?: me)?\b|\bring\b|\bdial\b|telefon|t[eé]l[eé]phone|tel[eé]fono|\bhandy|\bmobil|\bportable\b|celular|\bm[oó]vil|cellulare|電話|电话|тел)[^\n]{0,32}$/i;

function loadPackage(): typeof PhonePackage {
  return createRequire(import.meta.url)("libphonenumber-js/min") as typeof PhonePackage; // its own types; `require` knows none
}
