import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { Calibration } from "./calibration.ts";
import { calibrationSchema } from "./calibration.ts";

const entrySchema = z.looseObject({
  /** A fit means nothing for another model. */
  modelId: z.string().min(1).max(2_000),
  /** What the pairs were of, such as tools. */
  index: z.string().min(1).max(64),
  pairs: z.int().min(1).max(1_000_000_000),
  fittedAt: z.iso.datetime(),
  calibration: calibrationSchema,
});

const fileSchema = z.looseObject({ version: z.literal(1), calibrations: z.array(entrySchema).max(10_000) });

/** A fit, and of what. */
export type CalibrationEntry = z.output<typeof entrySchema>;

/** The fits in the text of their file; none where there is no file. Throws `config.invalid` for one that is not readable. */
export function parseCalibrations(text: string | undefined, source: string): readonly CalibrationEntry[] {
  if (text === undefined) return [];
  try {
    return fileSchema.parse(parseJson(text)).calibrations;
  } catch (cause) {
    const message = `${source} holds no calibrations of this version. Take it away, and calibrate again.`;
    throw new GatewayError("config.invalid", message, { cause });
  }
}

/** The fits as text for their file, with one more, which takes the place of an older one of its model and index. */
export function printCalibrations(entries: readonly CalibrationEntry[], added: CalibrationEntry): string {
  const others = entries.filter(({ modelId, index }) => modelId !== added.modelId || index !== added.index);
  return `${JSON.stringify({ version: 1, calibrations: [...others, added] }, undefined, 2)}\n`;
}

/** The fit of a model and an index; undefined when it was never made. */
export function findCalibration(
  entries: readonly CalibrationEntry[],
  modelId: string,
  index: string,
): Calibration | undefined {
  return entries.find((entry) => entry.modelId === modelId && entry.index === index)?.calibration;
}
