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
 * is stopped, and asks for pages until it meets one that it has shown. An operation is shown when it has ended, so those that
 * took long come behind younger ones; one that more than a page of others have overtaken is not shown.
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
      shown.add(keyOf(row));
      shell.out(JSON.stringify(row));
    }
    for (const oldest of shown) {
      if (shown.size <= mostRemembered) break;
      shown.delete(oldest);
    }
  };
  try {
    const { items: first } = await pageOf(control, options, Number(options.lines));
    show(first);
    const since = first.at(-1)?.ts ?? new Date(shell.clock.now()).toISOString();
    while (options.follow === true && !stop.signal.aborted) {
      await pause(shell, stop.signal);
      if (!stop.signal.aborted) show(await unseen(control, options, shown, since));
    }
  } finally {
    forget();
  }
}

/** Rows that were not shown yet, newest first: page after page until one has none, or begins before `since`. */
async function unseen(
  control: ControlClient,
  options: TailAnalyticsOptions,
  shown: ReadonlySet<string>,
  since: string,
): Promise<readonly Row[]> {
  const found = new Map<string, Row>();
  for (let cursor: string | undefined; ; ) {
    const { items, next } = await pageOf(control, options, 200, cursor);
    const known = found.size;
    for (const row of items) if (row.ts >= since && !shown.has(keyOf(row))) found.set(keyOf(row), row);
    if (next === undefined || found.size === known) return [...found.values()];
    cursor = next;
  }
}

function keyOf({ exchange_id, operation_id }: Row): string {
  return `${exchange_id}/${operation_id}`;
}

type Row = z.output<typeof rowSchema>;

const rowSchema = z.looseObject({ ts: z.string(), exchange_id: z.string(), operation_id: z.string() });
const pageSchema = z.looseObject({ items: z.array(rowSchema), next: z.string().optional() });

const pollMs = 1_000;
const mostRemembered = 100_000;

async function pageOf(
  control: ControlClient,
  { api }: TailAnalyticsOptions,
  limit: number,
  cursor?: string,
): Promise<z.output<typeof pageSchema>> {
  const query = new URLSearchParams({
    limit: String(limit),
    ...(api !== undefined && { api }),
    ...(cursor !== undefined && { cursor }),
  });
  return pageSchema.parse(await control.call("GET", `/api/v1/analytics/exchanges?${query.toString()}`));
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
