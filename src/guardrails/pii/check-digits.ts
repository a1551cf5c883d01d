/** The digits of a text, as numbers. */
export function digitsOf(text: string): readonly number[] {
  const digits: number[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const digit = text.charCodeAt(index) - 48;
    if (digit >= 0 && digit <= 9) digits.push(digit);
  }
  return digits;
}

/** Whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1, annex B). */
export function hasLuhnDigit(digits: readonly number[]): boolean {
  const sum = digits.toReversed().reduce((total, digit, index) => {
    const value = index % 2 === 0 ? digit : digit * 2;
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return digits.length > 1 && sum % 10 === 0;
}

/** The sum of the digits, each times its weight; digits without a weight do not count. */
export function weighted(digits: readonly number[], weights: readonly number[]): number {
  return weights.reduce((sum, weight, index) => sum + weight * (digits[index] ?? 0), 0);
}

/** The remainder of a long number, digit by digit. */
export function remainder(digits: readonly number[], modulus: number): number {
  return digits.reduce((rest, digit) => (rest * 10 + digit) % modulus, 0);
}

/** Whether the last digit is the Verhoeff check digit of the others. */
export function hasVerhoeffDigit(digits: readonly number[]): boolean {
  const check = digits.toReversed().reduce((state, digit, index) => {
    const permuted = verhoeffPermutation[index % 8]?.[digit] ?? 0;
    return verhoeffProduct[state]?.[permuted] ?? 0;
  }, 0);
  return digits.length > 1 && check === 0;
}

/** Whether the last digit is the ISO 7064 MOD 11,10 check digit of the others. */
export function hasMod1110Digit(digits: readonly number[]): boolean {
  const product = digits.slice(0, -1).reduce((state, digit) => (((digit + state) % 10 || 10) * 2) % 11, 10);
  return digits.at(-1) === (11 - product) % 10;
}

/** Whether there is such a day. The year is that of the Gregorian calendar. */
export function isDate(year: number, month: number, day: number): boolean {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 ? (isLeap ? 29 : 28) : 30 + ((month + (month >> 3)) & 1);
  return month >= 1 && month <= 12 && day >= 1 && day <= days;
}

/** Two digits as a number, from a place on; NaN behind the end. */
export function pair(digits: readonly number[], at: number): number {
  return (digits[at] ?? Number.NaN) * 10 + (digits[at + 1] ?? Number.NaN);
}

// The dihedral group D5, and the powers of its permutation (J. Verhoeff, Error detecting decimal codes, 1969).
const verhoeffProduct = rows(
  "0123456789 1234067895 2340178956 3401289567 4012395678 5987604321 6598710432 7659821043 8765932104 9876543210",
);
const verhoeffPermutation = rows(
  "0123456789 1576283094 5803796142 8916043527 9453126870 4286573901 2793806415 7046913258",
);

function rows(table: string): readonly (readonly number[])[] {
  return table.split(" ").map((row) => Array.from(row, Number));
}
