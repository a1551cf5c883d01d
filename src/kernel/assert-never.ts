/** Closes a switch over a union: does not compile when a case is missing, and throws if one slips through anyway. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`);
}
