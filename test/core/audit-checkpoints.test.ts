import { describe, expect, test } from "vitest";
import { makeCheckpoint } from "../../src/core/audit-checkpoint.ts";
import type { CheckpointPlace } from "../../src/core/audit-checkpoints.ts";
import { startCheckpoints } from "../../src/core/audit-checkpoints.ts";
import { eventually } from "../kit/eventually.ts";
import { memoryLog } from "../kit/gatehouse.ts";
import type { AuditFixture } from "./audit-fixture.ts";
import { auditFixture } from "./audit-fixture.ts";

const everyMs = 60_000;

function placeOf(...lines: string[]): CheckpointPlace & { readonly lines: string[] } {
  return { lines, last: async () => lines.at(-1), append: async (line) => void lines.push(line) };
}

function started(fixture: AuditFixture, place: CheckpointPlace) {
  const log = memoryLog();
  const context = { ...fixture.context, log };
  return { log, checkpoints: startCheckpoints(context, { everyMs, place }) };
}

const rowsOf = (lines: readonly string[]) => lines.map((line) => Number(line.split(".")[2]));
const errorsOf = ({ lines }: ReturnType<typeof memoryLog>) => lines.filter(({ level }) => level === "error");

describe("checkpoints of a running control plane", () => {
  test("are made at the start, at each interval with new rows, and at the end", async () => {
    await using fixture = await auditFixture(3);
    const place = placeOf();
    const { checkpoints, log } = started(fixture, place);
    await eventually("the first is made", () => place.lines.length === 1);
    await fixture.write(2);
    fixture.core.clock.advance(everyMs);
    await eventually("the second is made", () => place.lines.length === 2);
    fixture.core.clock.advance(everyMs); // nothing has come
    await fixture.write(4);
    await checkpoints[Symbol.asyncDispose]();
    expect(rowsOf(place.lines)).toEqual([3, 5, 9]);
    for (const checkpoint of place.lines) expect((await fixture.verify({ checkpoint })).findings).toEqual([]);
    expect(log.lines.map(({ fields }) => fields)).toEqual(place.lines.map((checkpoint) => ({ checkpoint })));
    fixture.core.clock.advance(everyMs * 10);
    expect(place.lines).toHaveLength(3);
  });

  test("tell of rows that were cut off since the last one that was kept", async () => {
    await using fixture = await auditFixture(4);
    const older = await fixture.context.catalog.read.settings.get("audit-head");
    await fixture.write(5);
    const place = placeOf(await makeCheckpoint(fixture.context));
    fixture.tamper((database) => {
      database.exec("delete from audit where seq > 4");
      database.prepare("update settings set value = ? where name = 'audit-head'").run(older ?? "");
    });
    const { checkpoints, log } = started(fixture, place);
    await checkpoints[Symbol.asyncDispose]();
    expect(errorsOf(log)).toMatchObject([{ fields: { checkpoint: place.lines[0] } }]);
    expect(rowsOf(place.lines)).toEqual([9, 4]); // both stay, for who verifies
  });

  test("go on behind what is no checkpoint of this installation, and say so", async () => {
    await using fixture = await auditFixture(2);
    const place = placeOf("scribbled");
    const { checkpoints, log } = started(fixture, place);
    await checkpoints[Symbol.asyncDispose]();
    expect(errorsOf(log)).toHaveLength(1);
    expect(rowsOf(place.lines.slice(1))).toEqual([2]);
  });

  test("stop nothing where they cannot be written, and are tried again", async () => {
    await using fixture = await auditFixture(2);
    const place = placeOf();
    let isFull = true;
    const { checkpoints, log } = started(fixture, {
      ...place,
      append: async (line) => (isFull ? Promise.reject(new Error("no space")) : place.append(line)),
    });
    await eventually("it was told", () => errorsOf(log).length === 1);
    isFull = false;
    fixture.core.clock.advance(everyMs);
    await eventually("it is made", () => place.lines.length === 1);
    await checkpoints[Symbol.asyncDispose]();
    expect(rowsOf(place.lines)).toEqual([2]);
  });
});
