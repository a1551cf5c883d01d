import { toGatewayError } from "../kernel/errors.ts";
import { newId } from "../kernel/ids.ts";
import type { AlertSpec } from "./alert.ts";
import { alert } from "./alert.ts";
import type { AskAlertQuestion } from "./alert-questions.ts";
import type { AlertFinding, AlertStep } from "./alert-state.ts";
import { stepAlert } from "./alert-state.ts";
import type { AlertStateRow } from "./alert-tables.ts";
import { alertValue, deviationsFrom, medianOf } from "./alert-value.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { Resource } from "./resource.ts";
import type { WebhookSender } from "./webhook-sender.ts";
import type { Write } from "./write.ts";
import { inWrite } from "./write.ts";

export interface AlertEvaluatorOptions {
  readonly context: () => CoreContext;
  readonly ask: AskAlertQuestion;
  readonly webhooks: WebhookSender;
}

/** Looks at all alerts when they are due, until it is disposed. */
export interface AlertEvaluator extends AsyncDisposable {
  start(): void;
}

const lookEveryMs = 5_000;
const keptMs = 90 * 86_400_000;
const sweepEveryMs = 3_600_000;
const system: Actor = { type: "system", id: "alerts" };

/**
 * Asks what alerts ask, one after the other, and notes, keeps and tells what comes of it in one write. Of several processes
 * on one catalog, one takes each look. What cannot be asked leaves the alert as it stands, with the reason. The history is
 * kept for 90 days.
 */
export function createAlertEvaluator(options: AlertEvaluatorOptions): AlertEvaluator {
  let cancel: (() => void) | undefined;
  let isOver = false;
  let round: Promise<void> = Promise.resolve();
  let sweptAtMs = 0;
  const look = async (): Promise<void> => {
    const { catalog, clock, log } = options.context();
    try {
      const alerts = (await catalog.read.resources.all(alert.kind)) as readonly Resource<AlertSpec>[]; // of that kind alone
      for (const each of alerts) if (!isOver && each.spec.enabled) await evaluateAlert(each, options);
      if (clock.now() - sweptAtMs >= sweepEveryMs) {
        sweptAtMs = clock.now();
        await catalog.transaction((transaction) => transaction.alerts.deleteEvents(sweptAtMs - keptMs, 1_000));
      }
    } catch (error) {
      log.warn({ err: error }, "alerts could not be looked at");
    }
  };
  const plan = (): void => {
    if (isOver) return;
    cancel = options.context().clock.after(lookEveryMs, () => {
      round = look().then(plan);
    });
  };
  return {
    start: plan,
    async [Symbol.asyncDispose]() {
      isOver = true;
      cancel?.();
      await round;
    },
  };
}

/** Takes the look at one alert, where it is due and no other process takes it. */
export async function evaluateAlert(resource: Resource<AlertSpec>, options: AlertEvaluatorOptions): Promise<void> {
  const { catalog, clock } = options.context();
  const nowMs = clock.now();
  const stored = await catalog.read.alerts.state(resource.id);
  if (stored !== undefined && stored.nextAtMs > nowMs) return;
  const nextAtMs = nowMs + resource.spec.everySeconds * 1_000;
  const expected = stored?.nextAtMs ?? null;
  const isMine = await catalog.transaction((transaction) => transaction.alerts.claim(resource.id, expected, nextAtMs));
  if (!isMine) return;
  const before = stored ?? { ...unseen, alertId: resource.id, sinceMs: nowMs, nextAtMs };
  try {
    await keep(resource, before, await measure(resource, options, nowMs), options);
  } catch (error) {
    const { code, detail } = toGatewayError(error);
    options.context().log.warn({ alert: resource.name, code, detail }, "an alert's question was not answered");
    const { nextAtMs: _, ...row } = before;
    await catalog.transaction((transaction) =>
      transaction.alerts.update({ ...row, error: code, evaluatedAtMs: nowMs }),
    );
  }
}

const unseen = {
  state: "ok",
  calmSinceMs: null,
  toldAtMs: null,
  value: null,
  error: null,
  evaluatedAtMs: null,
} as const;

interface Measured extends AlertFinding {
  readonly value: number | undefined;
  /** What the value was held against. */
  readonly against: number | undefined;
}

async function measure(
  resource: Resource<AlertSpec>,
  { ask }: AlertEvaluatorOptions,
  nowMs: number,
): Promise<Measured> {
  const { spec, teamId } = resource;
  const { condition, resolveAt, windowSeconds } = spec;
  const valueAt = async (toMs: number): Promise<number | undefined> => {
    const teamIds = spec.teams === "all" ? undefined : [teamId];
    const { api, environment, filters, params } = spec;
    const selection = { ...filters, fromMs: toMs - windowSeconds * 1_000, toMs, api, environment, teamIds };
    return alertValue(spec, await ask(spec.question, selection, params));
  };
  const value = await valueAt(nowMs);
  const { above, below, anomaly } = condition;
  if (value === undefined) return { value, against: above ?? below, isBreached: false, isBack: true };
  if (above !== undefined)
    return { value, against: above, isBreached: value > above, isBack: value <= (resolveAt ?? above) };
  if (below !== undefined)
    return { value, against: below, isBreached: value < below, isBack: value >= (resolveAt ?? below) };
  if (anomaly === undefined) return { value, against: undefined, isBreached: false, isBack: true };
  const past: number[] = [];
  for (let period = 1; period <= anomaly.periods; period += 1) {
    const then = await valueAt(nowMs - period * anomaly.periodSeconds * 1_000);
    if (then !== undefined) past.push(then);
  }
  const isBreached = isUnlike(anomaly, past, value);
  return { value, against: medianOf(past), isBreached, isBack: !isBreached };
}

function isUnlike(
  { deviations, direction, atLeast }: NonNullable<AlertSpec["condition"]["anomaly"]>,
  past: readonly number[],
  value: number,
): boolean {
  const found = deviationsFrom(past, value);
  if (found === undefined || Math.abs(value - medianOf(past)) < atLeast) return false;
  if (direction === "above") return found > deviations;
  return direction === "below" ? found < -deviations : Math.abs(found) > deviations;
}

async function keep(
  resource: Resource<AlertSpec>,
  before: AlertStateRow,
  measured: Measured,
  { context, webhooks }: AlertEvaluatorOptions,
): Promise<void> {
  const value = measured.value ?? null;
  const nowMs = context().clock.now();
  const step = stepAlert(resource.spec, before, measured, nowMs);
  const row = { ...step.standing, alertId: resource.id, value, error: null, evaluatedAtMs: nowMs };
  await inWrite(context(), system, async (write) => {
    await write.transaction.alerts.update(row);
    if (step.event !== undefined) await note(write, resource, step, measured, webhooks);
  });
  if (step.event === undefined) return;
  context().log.warn({ alert: resource.name, event: step.event, value }, "an alert has changed");
  webhooks.wake();
}

async function note(
  write: Write,
  { id: alertId, name, teamId, spec }: Resource<AlertSpec>,
  { event, isTold }: AlertStep,
  measured: Measured,
  webhooks: WebhookSender,
): Promise<void> {
  if (event === undefined) return;
  const [value, against] = [measured.value ?? null, measured.against ?? null];
  const { webhook, question, field, per, windowSeconds } = spec;
  const deliveryId =
    webhook === undefined || !isTold
      ? null
      : await webhooks.enqueue(write, {
          ...webhook,
          secret: webhook.secret,
          source: `Alert/${name}`,
          teamId,
          type: `alert.${event}`,
          data: { alert: name, displayName: spec.displayName, question, field, per, windowSeconds, value, against },
        });
  const id = newId("alertEvent");
  const { nowMs: atMs, transaction } = write;
  await transaction.alerts.addEvent({
    id,
    alertId,
    alertName: name,
    teamId,
    type: event,
    atMs,
    value,
    against,
    deliveryId,
  });
}
