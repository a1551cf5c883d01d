import fc from "fast-check";
import { expect, test } from "vitest";
import { fitCalibration } from "../../src/embedding/calibration.ts";
import { scoreUses } from "../../src/embedding/score-uses.ts";
import { createUseMemory } from "../../src/embedding/use-memory.ts";
import { packVector } from "../../src/embedding/use-record.ts";
import { builtIn } from "../kit/built-in-embedder.ts";

const record = (entry: string, values: readonly number[], sequence = 1, modelId = "m") => ({
  entry,
  application: "app",
  sequence,
  modelId,
  vector: packVector(Float32Array.from(values)),
  stems: [],
});

test("a use matches what the others of its entry say, never itself, and no other entry", () => {
  const records = [record("a", [1, 0], 1), record("a", [0, 1], 2), record("b", [1, 0], 3)];
  const scores = scoreUses(records, "m");
  expect(scores.filter(({ isMatch }) => isMatch).map(({ score }) => score)).toEqual([0, 0]);
  const others = scores.filter(({ isMatch }) => !isMatch).map(({ score }) => Math.round(score * 100));
  expect(others).toEqual([100, 0, 71]); // b's use against the middle of a's two
});

test("uses of another model or without a vector are no pairs", () => {
  const wordsOnly = { ...record("a", [1]), vector: undefined };
  expect(scoreUses([record("a", [1], 1, "other"), record("a", [1], 2, "other"), wordsOnly], "m")).toEqual([]);
  expect(scoreUses([], "m")).toEqual([]);
});

test("each use meets at most 20 other entries, all different and none its own", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), (entries) => {
      const records = Array.from({ length: entries }, (_, at) =>
        record(
          `entry${at}`,
          Array.from({ length: entries }, (__, axis) => Number(axis === at)),
          at + 1,
        ),
      );
      const scores = scoreUses(records, "m");
      expect(scores).toHaveLength(entries * Math.min(20, entries - 1));
      expect(scores.every(({ score, isMatch }) => score === 0 && !isMatch)).toBe(true);
    }),
  );
});

test("what people asked of four tools gives a fit in which more score is more probable", async () => {
  const parts = { knowsWord: () => true, withoutPersonalData: (text: string) => text };
  const memory = createUseMemory({ embedder: builtIn, ...parts });
  const asked: Record<string, readonly string[]> = {
    weather: ["will it rain tomorrow", "is it going to rain in Paris", "rain forecast for the weekend"],
    mail: ["send an email to my boss", "write an email to the team", "send a mail with the report"],
    music: ["play a song", "play some music by Bach", "put on a jazz song"],
    flights: ["book a flight to Rome", "find a cheap flight", "flight to London on Monday"],
  };
  for (const [entry, texts] of Object.entries(asked)) {
    for (const text of texts) await memory.absorb({ entry, application: "app", text });
  }
  const fit = fitCalibration(scoreUses(memory.records(), builtIn.modelId));
  expect(fit).toMatchObject({ type: "platt" });
  expect(fit.type === "platt" && fit.slope).toBeGreaterThan(1);
});
