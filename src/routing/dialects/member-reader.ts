import { GatewayError } from "../../kernel/errors.ts";

/** A JSON object off the wire. */
export type WireObject = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object, no list. */
export function isWireObject(value: unknown): value is WireObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/**
 * Reads the members of one object by name and remembers which: what nobody has asked for is told by `finish`, so that
 * nothing a client says gets lost unseen. A member that is null counts as absent. One of another type than asked for
 * throws `request.invalid` with its path.
 */
export class MemberReader {
  readonly at: string;
  readonly #value: WireObject;
  readonly #uncarried: string[];
  readonly #read = new Set<string>();

  /** @param at where the object stands in the body: `messages[3]`; empty for the body itself */
  constructor(value: WireObject, at: string, uncarried: string[]) {
    this.at = at;
    this.#value = value;
    this.#uncarried = uncarried;
  }

  /** The path of a member. */
  pathOf(name: string): string {
    return this.at === "" ? name : `${this.at}.${name}`;
  }

  any(name: string): unknown {
    this.#read.add(name);
    return Object.hasOwn(this.#value, name) ? (this.#value[name] ?? undefined) : undefined;
  }

  text(name: string): string | undefined {
    const value = this.any(name);
    if (value === undefined || typeof value === "string") return value;
    throw this.fault(name, "must be a string");
  }

  neededText(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === "") throw this.fault(name, "must be a non-empty string");
    return value;
  }

  number(name: string): number | undefined {
    const value = this.any(name);
    if (value === undefined || typeof value === "number") return value;
    throw this.fault(name, "must be a number");
  }

  /** A whole number from `least` on. */
  count(name: string, least = 0): number | undefined {
    const value = this.number(name);
    if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return value;
    throw this.fault(name, `must be a whole number from ${least} on`);
  }

  flag(name: string): boolean | undefined {
    const value = this.any(name);
    if (value === undefined || typeof value === "boolean") return value;
    throw this.fault(name, "must be true or false");
  }

  oneOf<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.text(name);
    const found = words.find((word) => word === value);
    if (value === undefined || found !== undefined) return found;
    throw this.fault(name, `must be one of ${words.join(", ")}`);
  }

  list(name: string): readonly unknown[] | undefined {
    const value = this.any(name);
    // `isArray` narrows to any[], which nothing here may hold.
    if (value === undefined || Array.isArray(value)) return value as readonly unknown[] | undefined;
    throw this.fault(name, "must be a list");
  }

  /** The objects of a list, each to be read by itself. */
  objects(name: string): readonly MemberReader[] {
    return (this.list(name) ?? []).map((value, index) => this.#reader(value, `${this.pathOf(name)}[${index}]`));
  }

  object(name: string): MemberReader | undefined {
    const value = this.any(name);
    return value === undefined ? undefined : this.#reader(value, this.pathOf(name));
  }

  /** An object as it stands, such as a JSON Schema. */
  plain(name: string): WireObject | undefined {
    const value = this.any(name);
    if (value === undefined || isWireObject(value)) return value;
    throw this.fault(name, "must be an object");
  }

  /** Notes members that change no answer: they may be left out. */
  passOver(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** Notes a member that no other dialect has a word for. */
  uncarried(name: string): void {
    this.#uncarried.push(this.pathOf(name));
  }

  /** Notes every member that was not read. Call it when all that is known has been. */
  finish(): void {
    for (const [name, value] of Object.entries(this.#value)) {
      if (value !== null && value !== undefined && !this.#read.has(name)) this.uncarried(name);
    }
  }

  fault(name: string, why: string): GatewayError {
    const param = name === "" ? this.at : this.pathOf(name);
    return new GatewayError("request.invalid", `\`${param}\` ${why}.`, { param });
  }

  #reader(value: unknown, at: string): MemberReader {
    if (isWireObject(value)) return new MemberReader(value, at, this.#uncarried);
    throw new GatewayError("request.invalid", `\`${at}\` must be an object.`, { param: at });
  }
}
