import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import type { ControlClient } from "./control-client.ts";
import { openControlClient } from "./control-client.ts";
import type { Shell } from "./shell.ts";

export interface TailAnalyticsOptions extends ControlOptions {
  readonly follow?: boolean;
  /** 1 to 200. */
  readonly lines: string;
  readonly api?: string;
}

/**
 * Prints the latest operations of the analytics store, one JSON object a line, oldest first. `--follow` goes on until it
 * is stopped. An operation is shown when it has ended, so those that took long come behind younger ones.
 */
export async function tailAnalytics(options: TailAnalyticsOptions, shell: Shell): Promise<void> {
  if (!/^\d{1,3}$/.test(options.lines) || Number(options.lines) < 1 || Number(options.lines) > 200) {
    throw new GatewayError("request.invalid", "--lines takes a number from 1 to 200.");
  }
  await using control = await openControlClient(options, shell);
  const stop = new AbortController();
  const forget = shell.onStop(() => stop.abort());
  const shown = new Set<string>();
  const show = (rows: readonly Row[]): void => {
    for (const row of rows.toReversed()) {
      const key = `${row.exchange_id}/${row.operation_id}`;
      if (shown.has(key)) continue;
      shown.add(key);
      shell.out(JSON.stringify(row));
    }
    for (const oldest of shown) {
      if (shown.size <= mostRemembered) break;
      shown.delete(oldest);
    }
  };
  try {
    show(await latest(control, options, Number(options.lines)));
    while (options.follow === true && !stop.signal.aborted) {
      await pause(shell, stop.signal);
      if (!stop.signal.aborted) show(await latest(control, options, 200));
    }
  } finally {
    forget();
  }
}

type Row = z.output<typeof rowSchema>;

const rowSchema = z.looseObject({ exchange_id: z.string(), operation_id: z.string() });
const pageSchema = z.looseObject({ items: z.array(rowSchema) });

const pollMs = 1_000;
const mostRemembered = 10_000;

async function latest(control: ControlClient, { api }: TailAnalyticsOptions, limit: number): Promise<readonly Row[]> {
  const query = new URLSearchParams({ limit: String(limit), ...(api !== undefined && { api }) });
  return pageSchema.parse(await control.call("GET", `/api/v1/analytics/exchanges?${query.toString()}`)).items;
}

async function pause(shell: Shell, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  // Unlike a clock's timer, this one keeps the command alive.
  const keepAlive = setInterval(() => undefined, pollMs);
  const cancel = shell.clock.after(pollMs, resolve);
  await promise;
  cancel();
  clearInterval(keepAlive);
}
