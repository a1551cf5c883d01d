import { crc32 } from "node:zlib";

/** Draws from what the formats really allow; the same for the same numbers. */
export interface Draw {
  /** From `least` to `most`, both included. */
  int(least: number, most: number): number;
  pick<Value>(values: readonly [Value, ...Value[]]): Value;
  /** Characters of an alphabet. */
  chars(alphabet: string, count: number): string;
  /** `#` a digit, `@` a capital letter; the rest stays. */
  shape(shape: string): string;
}

export const digits = "0123456789";
export const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
export const base62 = `${digits}${letters}${letters.toLowerCase()}`;

/** Draws by a source of numbers from 0 up to 1. */
export function createDraw(random: () => number): Draw {
  const int = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  const chars = (alphabet: string, count: number): string =>
    Array.from({ length: count }, () => alphabet[int(0, alphabet.length - 1)]).join("");
  return {
    int,
    pick: (values) => values[int(0, values.length - 1)] ?? values[0],
    chars,
    shape: (shape) => shape.replace(/[#@]/g, (sign) => (sign === "#" ? chars(digits, 1) : chars(letters, 1))),
  };
}

/** The digits with one more by which their Luhn sum comes out (ISO/IEC 7812-1). */
export function withLuhn(payload: string): string {
  const sum = Array.from(payload)
    .toReversed()
    .reduce((total, digit, at) => {
      const value = Number(digit) * (at % 2 === 0 ? 2 : 1);
      return total + (value > 9 ? value - 9 : value);
    }, 0);
  return payload + ((10 - (sum % 10)) % 10);
}

/** An IBAN of a country and its account (ISO 13616). */
export function withIbanCheck(country: string, account: string): string {
  const spelled = Array.from(`${account}${country}00`, (sign) => Number.parseInt(sign, 36)).join("");
  return `${country}${String(98n - (BigInt(spelled) % 97n)).padStart(2, "0")}${account}`;
}

/** The weighted sum of digits. */
export function weighted(payload: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, at) => sum + weight * Number(payload[at] ?? 0), 0);
}

const rotate = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

/** The digits with one more by Verhoeff's scheme, as Aadhaar has it. */
export function withVerhoeff(payload: string): string {
  const multiply = (a: number, b: number): number => {
    if (a < 5) return b < 5 ? (a + b) % 5 : 5 + ((a + (b - 5)) % 5);
    return b < 5 ? 5 + ((((a - 5 - b) % 5) + 5) % 5) : (((a - b) % 5) + 5) % 5;
  };
  const permute = (value: number, times: number): number => {
    let found = value;
    for (let at = 0; at < times; at += 1) found = rotate[found] ?? 0;
    return found;
  };
  const check = Array.from(payload)
    .toReversed()
    .reduce((sum, digit, at) => multiply(sum, permute(Number(digit), (at + 1) % 8)), 0);
  const inverse = check > 0 && check < 5 ? 5 - check : check;
  return `${payload}${inverse}`;
}

/** A token with the checksum that GitHub and npm append: CRC-32 in base 62. */
export function withTokenCheck(prefix: string, secret: string): string {
  let rest = crc32(secret);
  let check = "";
  for (let at = 0; at < 6; at += 1) {
    check = `${base62[rest % 62]}${check}`;
    rest = Math.floor(rest / 62);
  }
  return `${prefix}${secret}${check}`;
}
