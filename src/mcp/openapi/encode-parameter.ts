import { isJsonObject } from "./json-object.ts";
import type { ParameterStyle } from "./parameter-style.ts";

/** `name=value` pairs of a query or a form, encoded; none for null, an empty list and an empty object (RFC 6570, 3.2.1). */
export function queryPairs(name: string, value: unknown, style: ParameterStyle): readonly string[] {
  const encode = (text: string): string => percentEncoded(text, style.allowReserved);
  const pair = (key: string, text: string): string => `${percentEncoded(key)}=${text}`;
  if (value === null || value === undefined) return [];
  if (style.isJson) return [pair(name, encode(JSON.stringify(value)))];
  if (style.style === "deepObject" && typeof value === "object") return deepPairs(name, value, encode);
  if (Array.isArray(value)) {
    if (value.length === 0) return [];
    const texts = value.map((item) => encode(plainValue(item)));
    if (style.explode) return texts.map((text) => pair(name, text));
    return [pair(name, texts.join(separators[style.style] ?? ","))];
  }
  if (!isJsonObject(value)) return [pair(name, encode(plainValue(value)))];
  const members = membersOf(value);
  if (members.length === 0) return [];
  if (style.explode) return members.map(([key, text]) => pair(key, encode(text)));
  const flat = members.flatMap(([key, text]) => [percentEncoded(key), encode(text)]);
  return [pair(name, flat.join(separators[style.style] ?? ","))];
}

const separators: Readonly<Partial<Record<ParameterStyle["style"], string>>> = {
  spaceDelimited: "%20",
  pipeDelimited: "%7C",
};

/** What stands in a path for a parameter, encoded. Empty where the value, or one of its parts, is. */
export function pathText(name: string, value: unknown, { style, explode, isJson }: ParameterStyle): string {
  if (value === null || value === undefined) return "";
  const parts = isJson ? [percentEncoded(JSON.stringify(value))] : pathParts(value, explode);
  if (parts.length === 0 || parts.includes("")) return "";
  if (style === "label") return `.${parts.join(explode ? "." : ",")}`;
  if (style !== "matrix") return parts.join(",");
  const key = percentEncoded(name);
  if (!explode) return `;${key}=${parts.join(",")}`;
  // The members of an object bring their own names.
  return parts.map((part) => (isJsonObject(value) ? `;${part}` : `;${key}=${part}`)).join("");
}

function pathParts(value: unknown, explode: boolean): readonly string[] {
  if (Array.isArray(value)) return value.map((item) => percentEncoded(plainValue(item)));
  if (!isJsonObject(value)) return [percentEncoded(plainValue(value))];
  const members = membersOf(value).map(([key, text]) => [percentEncoded(key), percentEncoded(text)]);
  return explode ? members.map((pair) => pair.join("=")) : members.flat();
}

/** A header's value (style `simple`), not encoded: who sends it checks its characters. */
export function headerText(value: unknown, { explode, isJson }: ParameterStyle): string {
  if (isJson) return JSON.stringify(value);
  if (Array.isArray(value)) return value.map(plainValue).join(",");
  if (!isJsonObject(value)) return plainValue(value);
  const members = membersOf(value);
  return members.map((pair) => pair.join(explode ? "=" : ",")).join(",");
}

/**
 * Everything but RFC 3986's unreserved characters as `%XX`. With `allowReserved`, what has no meaning in a query stays
 * too. Text that is not well-formed UTF-16 must have been refused before.
 */
export function percentEncoded(text: string, allowReserved = false): string {
  const encoded = encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return allowReserved ? encoded.replace(/%(3A|2F|3F|40|21|24|27|28|29|2A|2C)/g, decodeURIComponent) : encoded;
}

/** A value as text: strings as they are, lists and objects inside others as JSON. */
export function plainValue(value: unknown): string {
  if (typeof value === "string") return value;
  return value === null ? "" : JSON.stringify(value);
}

function membersOf(value: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] {
  return Object.entries(value)
    .filter(([, member]) => member !== null && member !== undefined)
    .map(([key, member]) => [key, plainValue(member)]);
}

// What deepObject does with lists and objects inside is left open by OpenAPI; this is what most servers read.
function deepPairs(name: string, value: unknown, encode: (text: string) => string): readonly string[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== "object") return [`${percentEncoded(name)}=${encode(plainValue(value))}`];
  return Object.entries(value).flatMap(([key, member]) => deepPairs(`${name}[${key}]`, member, encode));
}
