import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import type { Shell } from "./shell.ts";

export interface TailAnalyticsOptions extends ControlOptions {
  readonly follow?: boolean;
  /** 1 to 200. */
  readonly lines: string;
  readonly api?: string;
  readonly application?: string;
  readonly key?: string;
  readonly model?: string;
  readonly tool?: string;
  readonly outcome?: string;
}

/**
 * Prints the latest operations of the analytics store, one JSON object a line, oldest first. `--follow` goes on until it
 * is stopped, with each operation once, in the order in which they come to the store.
 */
export async function tailAnalytics(options: TailAnalyticsOptions, shell: Shell): Promise<void> {
  if (!/^\d{1,3}$/.test(options.lines) || Number(options.lines) < 1 || Number(options.lines) > 200) {
    throw new GatewayError("request.invalid", "--lines takes a number from 1 to 200.");
  }
  await using control = await openControlClient(options, shell);
  const stop = new AbortController();
  const forget = shell.onStop(() => stop.abort());
  const ask = async (path: string, more: Readonly<Record<string, string>>) =>
    pageSchema.parse(await control.call("GET", `/api/v1/analytics/${path}?${queryOf(options, more)}`));
  try {
    // Asked for first: what comes between the two answers is in both, and none is in neither.
    let cursor = options.follow === true ? (await ask("tail", { format: "json" })).next : undefined;
    const latest = await ask("exchanges", { limit: options.lines });
    const shown = new Set(latest.items.map(keyOf));
    for (const row of latest.items.toReversed()) shell.out(JSON.stringify(row));
    while (cursor !== undefined && !stop.signal.aborted) {
      const page: Page = await ask("tail", { format: "json", cursor });
      for (const row of page.items.filter((each) => !shown.delete(keyOf(each)))) shell.out(JSON.stringify(row));
      cursor = page.next;
      if (page.items.length === 0) await pause(shell, stop.signal);
    }
  } finally {
    forget();
  }
}

function queryOf(options: TailAnalyticsOptions, more: Readonly<Record<string, string>>): string {
  const { api, application, key, model, tool, outcome } = options;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ api, application, key, model, tool, outcome, ...more })) {
    if (value !== undefined) query.set(name, value);
  }
  return query.toString();
}

function keyOf({ exchange_id, operation_id }: z.output<typeof rowSchema>): string {
  return `${exchange_id}/${operation_id}`;
}

const rowSchema = z.looseObject({ exchange_id: z.string(), operation_id: z.string() });
const pageSchema = z.looseObject({ items: z.array(rowSchema), next: z.string().optional() });
type Page = z.output<typeof pageSchema>;

const pollMs = 1_000;

async function pause(shell: Shell, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  // Unlike a clock's timer, this one keeps the command alive.
  const keepAlive = setInterval(() => undefined, pollMs);
  const cancel = shell.clock.after(pollMs, resolve);
  await promise;
  cancel();
  clearInterval(keepAlive);
}
