import { toGatewayError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import { retryAfterMs } from "../kernel/retry-after.ts";
import type { SafeFetch } from "../kernel/safe-fetch.ts";
import { signWebhook } from "../kernel/sign-webhook.ts";
import { secretName } from "./api-spec.ts";
import type { CoreContext } from "./core-context.ts";
import type { WebhookDeliveryRow } from "./webhook-tables.ts";
import type { Write } from "./write.ts";

/** What a webhook is told. */
export interface WebhookMessage {
  /** What it is about: `Alert/tool-errors`. */
  readonly source: string;
  readonly teamId: string;
  readonly url: string;
  /** `${secret:name}` or `${sealed:id}`, with whose value it is signed; not signed when absent. */
  readonly secret: string | undefined;
  /** What has happened, in a word: `alert.fired`. */
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Tells webhooks, over restarts, until they have taken it or a day and a half has passed. */
export interface WebhookSender extends AsyncDisposable {
  /** Keeps the message with the write that it tells of. Call `wake` when that has been committed. */
  enqueue(write: Pick<Write, "transaction" | "nowMs">, message: WebhookMessage): Promise<WebhookDeliveryRow["id"]>;
  /** Looks for what is due. */
  wake(): void;
}

export interface WebhookSenderOptions {
  readonly context: () => Pick<CoreContext, "catalog" | "clock" | "log">;
  readonly secrets: { read(name: string): MaybePromise<string> };
  readonly fetch: SafeFetch;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
/** Before the second try and those that follow; after the last one a delivery is dead. */
const pausesMs = [5 * second, 30 * second, 5 * minute, 30 * minute, 2 * hour, 8 * hour, 24 * hour];
const atOnce = 8;
const timeoutMs = 10 * second;
/** How long a process that has begun a try may take; after it, another one tries. */
const claimMs = 30 * second;
const keptMs = 30 * 24 * hour;
const longestSleepMs = hour;

/**
 * Sends what stands in the catalog, each message at least once and in no promised order, signed as Standard Webhooks are.
 * Any answer of 2xx is success, 410 ends it, and a redirect is not followed. The host is the operator's choice, held
 * against the network policy of `fetch`.
 */
export function createWebhookSender(options: WebhookSenderOptions): WebhookSender {
  return new CatalogSender(options);
}

class CatalogSender implements WebhookSender {
  readonly #options: WebhookSenderOptions;
  readonly #ending = new AbortController();
  #cancelTimer: (() => void) | undefined;
  #round: Promise<void> | undefined;
  #isAsked = false;

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
  }

  async enqueue(
    { transaction, nowMs }: Pick<Write, "transaction" | "nowMs">,
    { source, teamId, url, secret, type, data }: WebhookMessage,
  ): Promise<WebhookDeliveryRow["id"]> {
    const id = newId("webhookDelivery");
    const timestamp = new Date(nowMs).toISOString();
    await transaction.webhookDeliveries.insert({
      id,
      source,
      teamId,
      url,
      secret: secret === undefined ? null : secretName(secret),
      body: JSON.stringify({ type, timestamp, data }),
      state: "pending",
      attempts: 0,
      nextAtMs: nowMs,
      lastStatus: null,
      lastError: null,
      createdAtMs: nowMs,
      endedAtMs: null,
    });
    return id;
  }

  wake(): void {
    if (this.#ending.signal.aborted) return;
    this.#isAsked = true;
    if (this.#round !== undefined) return;
    this.#cancelTimer?.();
    this.#round = this.#work().finally(() => {
      this.#round = undefined;
      if (this.#isAsked) this.wake();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    this.#isAsked = false;
    this.#cancelTimer?.();
    await this.#round;
  }

  async #work(): Promise<void> {
    this.#isAsked = false;
    const { clock, log } = this.#options.context();
    let sleepMs: number;
    try {
      sleepMs = await this.#sendDue();
    } catch (error) {
      log.warn({ err: error }, "what webhooks are to be told could not be read");
      sleepMs = minute;
    }
    if (!this.#ending.signal.aborted) this.#cancelTimer = clock.after(sleepMs, () => this.wake());
  }

  /** Sends all that is due; resolves to how long there is nothing to do. */
  async #sendDue(): Promise<number> {
    const { catalog, clock } = this.#options.context();
    while (!this.#ending.signal.aborted) {
      const rows = await catalog.read.webhookDeliveries.next(atOnce);
      const nowMs = clock.now();
      const due = rows.filter(({ nextAtMs }) => nextAtMs <= nowMs);
      if (due.length === 0) {
        await catalog.transaction((transaction) => transaction.webhookDeliveries.deleteEnded(nowMs - keptMs, 500));
        return Math.min(longestSleepMs, (rows[0]?.nextAtMs ?? nowMs + longestSleepMs) - nowMs);
      }
      await Promise.all(due.map((row) => this.#deliver(row)));
    }
    return longestSleepMs;
  }

  async #deliver(row: WebhookDeliveryRow): Promise<void> {
    const { catalog, clock } = this.#options.context();
    const untilMs = clock.now() + claimMs;
    const isMine = await catalog.transaction((transaction) => transaction.webhookDeliveries.claim(row, untilMs));
    if (!isMine) return;
    const ended = await this.#try(row);
    if (ended !== undefined) await catalog.transaction((transaction) => transaction.webhookDeliveries.update(ended));
  }

  /** Undefined where the process ends meanwhile: the try is made again when it is back. */
  async #try(row: WebhookDeliveryRow): Promise<WebhookDeliveryRow | undefined> {
    const { clock, log } = this.#options.context();
    const { secrets, fetch } = this.#options;
    const tried = { ...row, attempts: row.attempts + 1 };
    try {
      const key = row.secret === null ? undefined : await secrets.read(row.secret);
      const signed = key === undefined ? { "webhook-id": row.id } : signWebhook(row.id, row.body, key, clock.now());
      const answer = await fetch(row.url, {
        chosenBy: "operator",
        method: "POST",
        body: row.body,
        headers: { "content-type": "application/json", ...signed },
        timeoutMs,
        maxBytes: 65_536,
        signal: this.#ending.signal,
      });
      const { status } = answer;
      const lastStatus = status;
      if (status >= 200 && status < 300) return { ...ended(tried, clock.now(), "delivered"), lastStatus };
      const lastError = `it answered ${status}`;
      if (status === 410) return { ...ended(tried, clock.now(), "dead"), lastStatus, lastError };
      return { ...again(tried, clock.now(), retryAfterMs(answer.headers, clock.now())), lastStatus, lastError };
    } catch (error) {
      if (this.#ending.signal.aborted) return undefined;
      const { code, detail } = toGatewayError(error);
      log.warn({ delivery: row.id, source: row.source, code, detail }, "a webhook could not be told");
      return { ...again(tried, clock.now(), undefined), lastStatus: null, lastError: code };
    }
  }
}

function again(row: WebhookDeliveryRow, nowMs: number, askedMs: number | undefined): WebhookDeliveryRow {
  const pauseMs = pausesMs[row.attempts - 1];
  if (pauseMs === undefined) return ended(row, nowMs, "dead");
  return { ...row, nextAtMs: nowMs + Math.min(24 * hour, Math.max(pauseMs, askedMs ?? 0)) };
}

function ended(row: WebhookDeliveryRow, nowMs: number, state: "delivered" | "dead"): WebhookDeliveryRow {
  return { ...row, state, endedAtMs: nowMs };
}
