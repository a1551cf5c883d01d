import { GatewayError } from "../kernel/errors.ts";

export interface ExpectedVectors {
  readonly modelId: string;
  /** Of the vectors that came before; undefined when none did. */
  readonly dimensions: number | undefined;
}

/**
 * The vectors in the `data` of an answer in OpenAI's form, in the order of their `index`, each scaled to length one; one
 * of nothing but zeros is undefined. Throws `upstream.invalid` for anything but `count` vectors of finite numbers, all
 * of one length and of that of the vectors before.
 */
export function readVectors(
  data: unknown,
  count: number,
  { modelId, dimensions }: ExpectedVectors,
): readonly (Float32Array | undefined)[] {
  const refuse = (what: string): GatewayError =>
    new GatewayError("upstream.invalid", `The embedding model's answer is not usable: ${what}.`, { detail: modelId });
  if (!Array.isArray(data)) throw refuse("it holds no list of vectors");
  if (data.length !== count) throw refuse(`${data.length} vectors for ${count} texts`);
  const found = new Map<number, Float32Array | undefined>();
  let expected = dimensions;
  for (const [place, item] of data.entries()) {
    const index = memberOf(item, "index") ?? place;
    const numbers = memberOf(item, "embedding");
    if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= count || found.has(index)) {
      throw refuse("its vectors do not say which text each belongs to");
    }
    if (!isList(numbers) || numbers.length === 0) throw refuse("a vector is missing");
    if (numbers.length > maxDimensions) throw refuse(`a vector has ${numbers.length} numbers`);
    expected ??= numbers.length;
    if (numbers.length !== expected)
      throw refuse(`a vector of ${numbers.length} numbers where ${expected} are expected`);
    found.set(index, unitVector(numbers) ?? fault(refuse("a vector holds something that is no finite number")));
  }
  return Array.from({ length: count }, (_, index) => {
    const vector = found.get(index);
    return vector?.length === 0 ? undefined : vector;
  });
}

/** The longest vector taken. */
export const maxDimensions = 16_384;

/** The vector scaled to length one; empty for one of zeros, undefined where a number is none. */
function unitVector(numbers: readonly unknown[]): Float32Array | undefined {
  let square = 0;
  for (const number of numbers) {
    if (typeof number !== "number" || !Number.isFinite(number)) return undefined;
    square += number * number;
  }
  if (square === 0) return new Float32Array(0);
  const length = Math.sqrt(square);
  // What squares to infinity is no vector of a model either.
  return Number.isFinite(length) ? Float32Array.from(numbers, (number) => Number(number) / length) : undefined;
}

function fault(error: GatewayError): never {
  throw error;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
