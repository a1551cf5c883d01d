import type { ThriftField, ThriftList, ThriftStruct } from "./thrift-compact.ts";
import { readThrift, thriftTypes, writeThrift } from "./thrift-compact.ts";

/** Makes one Parquet file of several, as they come: of each no more is kept than where its rows lie. */
export interface ParquetJoiner {
  /**
   * What the file has for the joined one, whose next bytes these are. Throws for what is no Parquet file, and for one whose
   * columns are not those of the first.
   */
  add(file: Buffer): Buffer;
  /** The last bytes, when there was a file at least. */
  end(): Buffer;
}

/**
 * A Parquet file is the rows in groups and an end that tells the columns and where in the file each group is. So the groups
 * of all files follow one another, and one end tells of them all at their new places.
 * Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
export function joinParquet(): ParquetJoiner {
  let first: ThriftStruct | undefined;
  let columns: Buffer | undefined;
  let rows = 0n;
  let written = 0;
  const groups: Buffer[] = [];
  return {
    add(file) {
      const { end, endsAt } = readEnd(file);
      const ownColumns = writeThrift(end.filter(({ id }) => id === fileFields.schema));
      first ??= end;
      columns ??= ownColumns;
      if (!ownColumns.equals(columns)) throw new Error("the files have different columns");
      const bytes = written === 0 ? file.subarray(0, endsAt) : file.subarray(magic.length, endsAt);
      const by = BigInt(written + bytes.length - endsAt);
      for (const group of itemsOf(end, fileFields.rowGroups)) groups.push(writeThrift(moved(group, by, groups.length)));
      rows += numberOf(end, fileFields.rows);
      written += bytes.length;
      return bytes;
    },
    end() {
      const fields = (first ?? []).map((field) => {
        if (field.id === fileFields.rows) return { ...field, value: rows };
        return field.id === fileFields.rowGroups ? { ...field, value: listOf(groups) } : field;
      });
      const end = writeThrift(fields);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(end.length);
      return Buffer.concat([end, length, magic]);
    },
  };
}

const magic = Buffer.from("PAR1");
const fileFields = { schema: 2, rows: 3, rowGroups: 4 };

function readEnd(file: Buffer): { readonly end: ThriftStruct; readonly endsAt: number } {
  const tail = file.length - 8;
  const isFile = tail >= magic.length && file.subarray(0, 4).equals(magic) && file.subarray(-4).equals(magic);
  const endsAt = isFile ? tail - file.readUInt32LE(tail) : -1;
  if (endsAt < magic.length) throw new Error("this is no Parquet file");
  return { end: readThrift(file.subarray(endsAt, tail)), endsAt };
}

/** Which fields of a struct are places in the file, which have such fields in turn, and which are left out. */
interface Places {
  readonly own: readonly number[];
  readonly within: Readonly<Record<number, Places>>;
  readonly without?: readonly number[];
}

/** Of ColumnMetaData: the first data, index and dictionary page, and the Bloom filter. Of ColumnChunk: itself. */
const metaPlaces: Places = { own: [9, 10, 11, 14], within: {} };
/** Left out is where its indexes of pages are: those have places in themselves, and a reader does without them. */
const columnPlaces: Places = { own: [2], within: { 3: metaPlaces }, without: [4, 5, 6, 7] };
const groupPlaces: Places = { own: [5], within: { 1: columnPlaces } };
const groupOrdinal = 7;
const mostOrdinal = 32_767;

/** A group of rows as it is in the joined file, the `ordinal`th of it. */
function moved(group: ThriftStruct, by: bigint, ordinal: number): ThriftStruct {
  const fields = ordinal > mostOrdinal ? group.filter(({ id }) => id !== groupOrdinal) : group;
  return shifted(fields, groupPlaces, by).map((field) =>
    field.id === groupOrdinal ? { ...field, value: BigInt(ordinal) } : field,
  );
}

function shifted(struct: ThriftStruct, { own, within, without = [] }: Places, by: bigint): ThriftStruct {
  const kept = struct.filter(({ id }) => !without.includes(id));
  return kept.map((field) => {
    const { id, type, value } = field;
    // Nothing lies at 0, where the file's own name is: it says that there is no such place.
    if (own.includes(id) && typeof value === "bigint" && value > 0n) return { ...field, value: value + by };
    const inner = within[id];
    if (inner === undefined) return field;
    if (type === thriftTypes.struct) return { ...field, value: shifted(structOf(field), inner, by) };
    return { ...field, value: { ...listIn(field), items: structsIn(field).map((item) => shifted(item, inner, by)) } };
  });
}

function itemsOf(struct: ThriftStruct, id: number): readonly ThriftStruct[] {
  const field = struct.find((each) => each.id === id);
  return field === undefined ? [] : structsIn(field);
}

function numberOf(struct: ThriftStruct, id: number): bigint {
  const value = struct.find((each) => each.id === id)?.value;
  return typeof value === "bigint" ? value : 0n;
}

function structsIn(field: ThriftField): readonly ThriftStruct[] {
  return listIn(field).items.map((value) => structOf({ ...field, value }));
}

function listIn({ value }: ThriftField): ThriftList {
  if (typeof value === "object" && "items" in value) return value;
  throw new Error("this is no Parquet file: a list is missing");
}

function structOf({ value }: Pick<ThriftField, "value">): ThriftStruct {
  if (Array.isArray(value)) return value as ThriftStruct; // of the values only structs are arrays
  throw new Error("this is no Parquet file: a struct is missing");
}

/** Groups that are written already. */
function listOf(groups: readonly Buffer[]): ThriftList {
  return { type: thriftTypes.struct, items: groups };
}
