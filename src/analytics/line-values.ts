/**
 * Values of a line, put as bytes where the line lies, without a string in between. Each function puts a comma and the
 * value's JSON at `at`, all ASCII, and answers the place behind it. What has no room in `memory` is not stored, but the
 * answer counts it: an answer beyond the end says how much room there should have been.
 */
export function putText(memory: Buffer, at: number, value: string | null | undefined): number {
  if (typeof value !== "string") return putJson(memory, at, value);
  memory[at] = comma;
  memory[at + 1] = quote;
  let to = at + 2;
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code < 0x20 || code > 0x7e || code === quote || code === backslash) return putJson(memory, at, value);
    memory[to] = code;
    to += 1;
  }
  memory[to] = quote;
  return to + 1;
}

/** As `putText` says. Throws for a bigint, which is no JSON; what is no finite number is null. */
export function putNumber(memory: Buffer, at: number, value: number | null | undefined): number {
  if (typeof value !== "number" || !(value >= 0 && value < mostWhole) || Math.floor(value) !== value)
    return putJson(memory, at, value);
  memory[at] = comma;
  if (value < mostDigits) return putWhole(memory, at + 1, value);
  const high = Math.floor(value / million);
  return putSix(memory, putWhole(memory, at + 1, high), value - high * million);
}

/** As `putNumber`, and made for what was rounded to microseconds. */
export function putMilliseconds(memory: Buffer, at: number, value: number | null | undefined): number {
  if (typeof value !== "number" || !(value >= 0 && value < million)) return putNumber(memory, at, value);
  const micros = Math.round(value * 1_000);
  if (micros / 1_000 !== value) return putNumber(memory, at, value);
  const whole = Math.floor(micros / 1_000);
  memory[at] = comma;
  return putFraction(memory, putWhole(memory, at + 1, whole), micros - whole * 1_000);
}

/** An object of plain values, as `putText` says; `{}` when it is missing. */
export function putMembers(memory: Buffer, at: number, members: Readonly<Record<string, unknown>> | undefined): number {
  let to = at + 1;
  for (const name in members) {
    const value = members[name];
    if (value === undefined) continue;
    const nameTo = putText(memory, to, name);
    if (to === at + 1) memory[to] = openBrace;
    to = typeof value === "number" ? putNumber(memory, nameTo, value) : putPlain(memory, nameTo, value);
    memory[nameTo] = colon;
  }
  if (to === at + 1) {
    memory[to] = openBrace;
    to += 1;
  }
  memory[at] = comma;
  memory[to] = closeBrace;
  return to + 1;
}

/** Any JSON, as `putText` says; null for what JSON leaves out. Throws for what is no JSON. */
export function putJson(memory: Buffer, at: number, value: unknown): number {
  memory[at] = comma;
  if (value === null || value === undefined) {
    memory[at + 1] = 0x6e;
    memory[at + 2] = 0x75;
    memory[at + 3] = 0x6c;
    memory[at + 4] = 0x6c;
    return at + 5;
  }
  const json = (JSON.stringify(value) ?? "null").replace(
    /[\x7f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  if (at + 1 < memory.length) memory.write(json, at + 1, "latin1");
  return at + 1 + json.length;
}

/** Bytes that are as they are to be, comma and all. */
export function putBytes(memory: Buffer, at: number, bytes: Uint8Array): number {
  const to = at + bytes.length;
  if (to <= memory.length) memory.set(bytes, at);
  return to;
}

/** The end of a line: the list's bracket and a line feed. */
export function putEnd(memory: Buffer, at: number): number {
  memory[at] = 0x5d;
  memory[at + 1] = 0x0a;
  return at + 2;
}

const comma = 0x2c;
const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const point = 0x2e;
const zero = 0x30;

const million = 1_000_000;
/** Beyond it digits are made in two parts, so that each is a small integer of the engine. */
const mostDigits = 1_000_000_000;
const mostWhole = mostDigits * million;

function putPlain(memory: Buffer, at: number, value: unknown): number {
  return typeof value === "string" ? putText(memory, at, value) : putJson(memory, at, value);
}

/** A whole number below `mostDigits`. */
function putWhole(memory: Buffer, at: number, value: number): number {
  let to = at + 1;
  for (let least = 10; least <= value; least *= 10) to += 1;
  let left = value | 0;
  for (let place = to - 1; place >= at; place -= 1) {
    const rest = (left / 10) | 0;
    memory[place] = zero + left - rest * 10;
    left = rest;
  }
  return to;
}

/** A whole number below a million, with the zeros in front. */
function putSix(memory: Buffer, at: number, value: number): number {
  let left = value | 0;
  for (let place = at + 5; place >= at; place -= 1) {
    const rest = (left / 10) | 0;
    memory[place] = zero + left - rest * 10;
    left = rest;
  }
  return at + 6;
}

/** The point and up to three digits without zeros at the end; nothing for 0. */
function putFraction(memory: Buffer, at: number, thousandths: number): number {
  if (thousandths === 0) return at;
  const tens = (thousandths / 10) | 0;
  const ones = (tens / 10) | 0;
  memory[at] = point;
  memory[at + 1] = zero + ones;
  memory[at + 2] = zero + tens - ones * 10;
  memory[at + 3] = zero + thousandths - tens * 10;
  return thousandths !== tens * 10 ? at + 4 : tens !== ones * 10 ? at + 3 : at + 2;
}
