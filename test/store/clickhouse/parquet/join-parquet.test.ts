import { describe, expect, test } from "vitest";
import { joinParquet } from "../../../../src/store/clickhouse/parquet/join-parquet.ts";
import type { ThriftStruct } from "../../../../src/store/clickhouse/parquet/thrift-compact.ts";
import { readThrift, writeThrift } from "../../../../src/store/clickhouse/parquet/thrift-compact.ts";

const int = (id: number, value: number) => ({ id, type: 6, value: BigInt(value) });

/** A group of `rows` rows whose only column has pages at these places, and a filter behind them; and indexes, if told. */
function group(rows: number, ordinal: number, at: number, isIndexed = false): ThriftStruct {
  const meta = [int(5, rows), int(9, at + 2), int(11, at), int(14, at + 40)];
  const indexes = isIndexed ? [int(4, at + 50), { id: 5, type: 5, value: 9n }, int(6, at + 60)] : [];
  const column = [int(2, 0), { id: 3, type: 12, value: meta }, ...indexes];
  const columns = { id: 1, type: 9, value: { type: 12, items: [column] } };
  return [columns, int(2, 77), int(3, rows), int(5, at), { id: 7, type: 4, value: BigInt(ordinal) }];
}

/** A file with these groups; `data` stands for their pages. */
function fileOf(groups: readonly ThriftStruct[], rows: number, data: string, column = "ts"): Buffer {
  const schema = { id: 2, type: 9, value: { type: 12, items: [[{ id: 4, type: 8, value: Buffer.from(column) }]] } };
  const end = writeThrift([
    { id: 1, type: 5, value: 2n },
    schema,
    int(3, rows),
    { id: 4, type: 9, value: { type: 12, items: groups } },
    { id: 6, type: 8, value: Buffer.from("a writer") },
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(end.length);
  return Buffer.concat([Buffer.from("PAR1"), Buffer.from(data), end, length, Buffer.from("PAR1")]);
}

function endOf(file: Buffer): ThriftStruct {
  return readThrift(file.subarray(file.length - 8 - file.readUInt32LE(file.length - 8), -8));
}

describe("Parquet files that are joined", () => {
  test("are one whose end has the rows of all, each group at its new place", () => {
    const joiner = joinParquet();
    const first = fileOf([group(3, 0, 4, true)], 3, "first pages");
    const second = fileOf([group(5, 0, 4), group(7, 1, 9, true)], 12, "second");
    const pieces = [joiner.add(first), joiner.add(second), joiner.end()];
    expect(pieces.slice(0, 2).map(String)).toEqual(["PAR1first pages", "second"]);
    const end = endOf(Buffer.concat(pieces));
    const [moved, movedMore] = [4 + "first pages".length, 9 + "first pages".length];
    expect(end).toEqual(endOf(fileOf([group(3, 0, 4), group(5, 1, moved), group(7, 2, movedMore)], 15, "")));
  });

  test("are the file itself when there is one", () => {
    for (const file of [fileOf([group(3, 0, 4)], 3, "pages"), fileOf([], 0, "")]) {
      const joiner = joinParquet();
      expect(Buffer.concat([joiner.add(file), joiner.end()]).equals(file)).toBe(true);
    }
  });

  test("may be more than an ordinal can count", () => {
    const joiner = joinParquet();
    const groups = Array.from({ length: 20_000 }, (_, place) => group(1, place, 4));
    const pieces = [0, 1].map(() => joiner.add(fileOf(groups, 20_000, "pages")));
    const list = endOf(Buffer.concat([...pieces, joiner.end()])).find(({ id }) => id === 4)?.value;
    expect(list).toMatchObject({ items: { length: 40_000 } });
  });

  test("have the same columns, or are refused", () => {
    const joiner = joinParquet();
    joiner.add(fileOf([group(3, 0, 4)], 3, "pages"));
    expect(() => joiner.add(fileOf([group(3, 0, 4)], 3, "pages", "other"))).toThrow("different columns");
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["too short", Buffer.from("PAR1PAR1")],
    ["an error of the store", Buffer.from("Code: 241. DB::Exception: memory limit")],
    [
      "with an end that is longer than it",
      Buffer.concat([Buffer.from("PAR1"), Buffer.alloc(4, 255), Buffer.from("PAR1")]),
    ],
    [
      "with an end that is none",
      Buffer.concat([Buffer.from("PAR1data"), Buffer.from([4, 0, 0, 0]), Buffer.from("PAR1")]),
    ],
  ])("are files of that kind: %s", (_, bytes) => {
    expect(() => joinParquet().add(bytes)).toThrow();
  });
});
