/**
 * A struct of Thrift's compact protocol, as the ends of Parquet files are written. Nothing is known of its fields but their
 * types, so that what a later version adds comes through.
 * Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export type ThriftStruct = readonly ThriftField[];

export interface ThriftField {
  readonly id: number;
  readonly type: number;
  readonly value: ThriftValue;
}

export interface ThriftList {
  readonly type: number;
  /** A struct among them may stand as its bytes when it is written. */
  readonly items: readonly ThriftValue[];
}

interface ThriftMap {
  readonly types: readonly [key: number, value: number];
  readonly entries: readonly (readonly [ThriftValue, ThriftValue])[];
}

/** Whole numbers are `bigint`; texts, and numbers with a point, are their bytes. */
type ThriftValue = boolean | bigint | Buffer | ThriftStruct | ThriftList | ThriftMap;

/** Types of fields and of items, as far as they are asked for by name. */
export const thriftTypes = {
  yes: 1,
  no: 2,
  byte: 3,
  int64: 6,
  double: 7,
  bytes: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
  uuid: 13,
} as const;

/** Deeper than anything in a Parquet file. */
const deepest = 32;

/** Reads one struct. Throws for bytes that are none, end too early or go on behind it. */
export function readThrift(bytes: Buffer): ThriftStruct {
  const source: Source = { bytes, at: 0 };
  const struct = readStruct(source, 0);
  if (source.at !== bytes.length) throw new Error("there are bytes behind the struct");
  return struct;
}

/** The bytes of a struct; those that it was read from, where it is unchanged. */
export function writeThrift(struct: ThriftStruct): Buffer {
  const pieces: Buffer[] = [];
  writeStruct(struct, pieces);
  return Buffer.concat(pieces);
}

interface Source {
  readonly bytes: Buffer;
  at: number;
}

function readStruct(source: Source, depth: number): ThriftStruct {
  const fields: ThriftField[] = [];
  for (let id = 0; ; ) {
    const head = readByte(source);
    if (head === 0) return fields;
    id = head >> 4 === 0 ? Number(readSigned(source)) : id + (head >> 4);
    const type = head & 15;
    // A field's truth is in its type; an item's has a byte.
    const value =
      type === thriftTypes.yes || type === thriftTypes.no ? type === thriftTypes.yes : read(source, type, depth);
    fields.push({ id, type, value });
  }
}

function read(source: Source, type: number, depth: number): ThriftValue {
  if (depth > deepest) throw new Error("the struct is too deep");
  switch (type) {
    case thriftTypes.yes:
    case thriftTypes.no:
      return readByte(source) === thriftTypes.yes;
    case thriftTypes.byte:
      return BigInt(readByte(source));
    case 4:
    case 5:
    case thriftTypes.int64:
      return readSigned(source);
    case thriftTypes.double:
      return take(source, 8);
    case thriftTypes.uuid:
      return take(source, 16);
    case thriftTypes.bytes:
      return take(source, readLength(source));
    case thriftTypes.list:
    case thriftTypes.set:
      return readList(source, depth + 1);
    case thriftTypes.map:
      return readMap(source, depth + 1);
    case thriftTypes.struct:
      return readStruct(source, depth + 1);
    default:
      throw new Error(`there is no type ${type}`);
  }
}

function readList(source: Source, depth: number): ThriftList {
  const head = readByte(source);
  const length = head >> 4 === 15 ? readLength(source) : head >> 4;
  const type = head & 15;
  return { type, items: Array.from({ length }, () => read(source, type, depth)) };
}

function readMap(source: Source, depth: number): ThriftMap {
  const length = readLength(source);
  const head = length === 0 ? 0 : readByte(source);
  const types = [head >> 4, head & 15] as const;
  return {
    types,
    entries: Array.from({ length }, () => [read(source, types[0], depth), read(source, types[1], depth)] as const),
  };
}

function readByte(source: Source): number {
  const byte = source.bytes[source.at];
  if (byte === undefined) throw new Error("the struct ends too early");
  source.at += 1;
  return byte;
}

function readUnsigned(source: Source): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = readByte(source);
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return value;
  }
  throw new Error("a number is too long");
}

function readSigned(source: Source): bigint {
  const value = readUnsigned(source);
  return (value >> 1n) ^ -(value & 1n);
}

/** Of bytes or of items: each of those takes a byte at least. */
function readLength(source: Source): number {
  const length = Number(readUnsigned(source));
  if (length > source.bytes.length - source.at) throw new Error("the struct ends too early");
  return length;
}

function take(source: Source, length: number): Buffer {
  if (length > source.bytes.length - source.at) throw new Error("the struct ends too early");
  source.at += length;
  return source.bytes.subarray(source.at - length, source.at);
}

function writeStruct(struct: ThriftStruct, pieces: Buffer[]): void {
  let last = 0;
  for (const { id, type, value } of struct) {
    const delta = id - last;
    if (delta > 0 && delta < 16) pieces.push(Buffer.from([(delta << 4) | type]));
    else pieces.push(Buffer.from([type]), signed(BigInt(id)));
    if (type !== thriftTypes.yes && type !== thriftTypes.no) write(value, type, pieces);
    last = id;
  }
  pieces.push(Buffer.from([0]));
}

function write(value: ThriftValue, type: number, pieces: Buffer[]): void {
  if (typeof value === "boolean") pieces.push(Buffer.from([value ? thriftTypes.yes : thriftTypes.no]));
  else if (typeof value === "bigint")
    pieces.push(type === thriftTypes.byte ? Buffer.from([Number(value)]) : signed(value));
  else if (Buffer.isBuffer(value)) {
    if (type === thriftTypes.bytes) pieces.push(unsigned(BigInt(value.length)));
    pieces.push(value);
  } else if ("items" in value) writeList(value, pieces);
  else if ("entries" in value && "types" in value) writeMap(value, pieces);
  else writeStruct(value, pieces);
}

function writeList({ type, items }: ThriftList, pieces: Buffer[]): void {
  if (items.length < 15) pieces.push(Buffer.from([(items.length << 4) | type]));
  else pieces.push(Buffer.from([240 | type]), unsigned(BigInt(items.length)));
  for (const item of items) write(item, type, pieces);
}

function writeMap({ types, entries }: ThriftMap, pieces: Buffer[]): void {
  pieces.push(unsigned(BigInt(entries.length)));
  if (entries.length > 0) pieces.push(Buffer.from([(types[0] << 4) | types[1]]));
  for (const [key, value] of entries) {
    write(key, types[0], pieces);
    write(value, types[1], pieces);
  }
}

function unsigned(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

function signed(value: bigint): Buffer {
  return unsigned(value >= 0n ? value << 1n : (-value << 1n) - 1n);
}
