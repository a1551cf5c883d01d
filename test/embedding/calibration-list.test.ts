import { expect, test } from "vitest";
import type { CalibrationEntry } from "../../src/embedding/calibration-list.ts";
import { findCalibration, parseCalibrations, printCalibrations } from "../../src/embedding/calibration-list.ts";

function entry(modelId: string, index: string, slope: number): CalibrationEntry {
  const calibration = { type: "platt", slope, offset: -1 } as const;
  return { modelId, index, pairs: 40, fittedAt: "2026-01-01T00:00:00.000Z", calibration };
}

test("a fit is found under its model and index only, and a later one takes its place", () => {
  const steps = [
    entry("m1", "default", 1),
    entry("m2", "default", 2),
    entry("m1", "tools", 3),
    entry("m1", "default", 4),
  ];
  let text: string | undefined;
  for (const step of steps) text = printCalibrations(parseCalibrations(text, "file"), step);
  const kept = parseCalibrations(text, "file");
  expect(kept).toHaveLength(3);
  expect(findCalibration(kept, "m1", "default")).toMatchObject({ slope: 4 });
  expect(findCalibration(kept, "m2", "default")).toMatchObject({ slope: 2 });
  expect(findCalibration(kept, "m2", "tools")).toBeUndefined();
});

test.each(["{", "[]", '{"version":2,"calibrations":[]}', '{"version":1,"calibrations":[{"modelId":"m"}]}'])(
  "a file that holds %s is named and not guessed at",
  (text) => {
    expect(() => parseCalibrations(text, "calibrations.json")).toThrow(/^calibrations\.json holds no calibrations/);
  },
);
