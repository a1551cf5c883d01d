import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { exportFormats } from "../analytics/analytics-reader.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import type { ControlClient } from "./control-client.ts";
import { openControlClient } from "./control-client.ts";
import type { Shell } from "./shell.ts";

export interface ExportAnalyticsOptions extends ControlOptions {
  /** A time in ISO 8601; its hour is the first. */
  readonly from: string;
  /** A time in ISO 8601, whose hour is not in it any more; now when absent. */
  readonly to?: string;
  readonly out: string;
  readonly format: string;
  readonly table: string;
  readonly api?: string;
}

const hourMs = 3_600_000;
/** Operations that began in an hour and lasted are recorded when they end. */
const settledMs = 900_000;
const mostHours = 20_000;

/**
 * Writes the recorded rows to one file an hour, by UTC, in a directory that is made when it is missing. Hours that have their
 * file are passed over, so that a run that was stopped goes on where it was; one that has not been over for a quarter of an
 * hour is left to the next run.
 */
export async function exportAnalytics(options: ExportAnalyticsOptions, shell: Shell): Promise<void> {
  const { format, table } = checked(options);
  const hours = hoursOf(options, shell.clock.now());
  const directory = resolve(shell.cwd, options.out);
  await mkdir(directory, { recursive: true });
  await using control = await openControlClient(options, shell);
  let written = 0;
  for (const hour of hours) {
    const name = `${table}-${new Date(hour).toISOString().slice(0, 13)}.${format}`;
    if (await isThere(join(directory, name))) continue;
    const query = new URLSearchParams({ table, format, from: timeOf(hour), to: timeOf(hour + hourMs) });
    if (options.api !== undefined) query.set("api", options.api);
    await writeWhole(control, `/api/v1/analytics/export?${query.toString()}`, join(directory, name));
    written += 1;
    shell.note(name);
  }
  shell.out(`${written} files written, ${hours.length - written} were there`);
}

function checked({ format, table }: ExportAnalyticsOptions): { readonly format: string; readonly table: string } {
  if (!exportFormats.some((each) => each === format)) {
    throw new GatewayError("request.invalid", `--format takes ${exportFormats.join(", ")}.`);
  }
  if (table === "exchanges" || table === "attempts") return { format, table };
  throw new GatewayError("request.invalid", "--table takes exchanges, attempts.");
}

function hoursOf({ from, to }: ExportAnalyticsOptions, nowMs: number): readonly number[] {
  const first = Math.floor(parsed("--from", from) / hourMs);
  const whole = Math.floor((nowMs - settledMs) / hourMs);
  const end = Math.min(whole, to === undefined ? whole : Math.floor(parsed("--to", to) / hourMs));
  if (end - first > mostHours) throw new GatewayError("request.invalid", `An export may have ${mostHours} hours.`);
  return Array.from({ length: Math.max(0, end - first) }, (_, index) => (first + index) * hourMs);
}

function parsed(option: string, text: string): number {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  throw new GatewayError("request.invalid", `${option} takes a time, such as 2026-01-31T12:00:00Z.`);
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A file has its name when all of it is there. */
async function writeWhole(control: ControlClient, path: string, file: string): Promise<void> {
  const part = `${file}.part`;
  await rm(part, { force: true });
  const written = await open(part, "wx", 0o600);
  try {
    await control.stream(path, async (chunk) => {
      await written.writeFile(chunk); // goes on where the last one ended
    });
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    await written.close();
  }
  await rename(part, file);
}
