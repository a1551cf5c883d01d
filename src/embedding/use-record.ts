/** A vector of eight bits a component: a quarter of the room, and near enough for a mean of several. */
export interface PackedVector {
  readonly scale: number;
  readonly values: Int8Array;
}

/** One use as it is remembered and persisted: no text, no personal data. */
export interface UseRecord {
  readonly entry: string;
  readonly application: string;
  /** Ascending in the order of use. */
  readonly sequence: number;
  /** The model that the vector is of. */
  readonly modelId: string;
  readonly vector: PackedVector | undefined;
  /** Stems of words in the built-in model's vocabulary. */
  readonly stems: readonly string[];
}

/** Told of what changes in a memory, so that a store can follow. Called on the request's path: it must not wait. */
export interface UseJournal {
  /** `leaving` is the use whose place the record took. */
  absorbed(record: UseRecord, leaving: UseRecord | undefined): void;
  /** Somebody asked for it: nothing of them may stay. */
  forgotten(records: readonly UseRecord[]): void;
}

/** @param vector of finite numbers */
export function packVector(vector: Float32Array): PackedVector {
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = largest / 127 || 1;
  return { scale, values: Int8Array.from(vector, (value) => Math.round(value / scale)) };
}

/** The vector again, within half a step of each component. */
export function unpackVector({ scale, values }: PackedVector): Float32Array {
  const vector = new Float32Array(values.length);
  for (let at = 0; at < values.length; at += 1) vector[at] = (values[at] ?? 0) * scale;
  return vector;
}
