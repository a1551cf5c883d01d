import type { AnalyticsReader } from "./analytics/analytics-reader.ts";
import type { Config } from "./config.ts";
import type { AlertEvaluator } from "./core/alert-evaluator.ts";
import { createAlertEvaluator } from "./core/alert-evaluator.ts";
import type { AlertFilters, AskAlertQuestion } from "./core/alert-questions.ts";
import type { CoreContext } from "./core/core-context.ts";
import { createWebhookSender } from "./core/webhook-sender.ts";
import { GatewayError } from "./kernel/errors.ts";
import type { MaybePromise } from "./kernel/maybe-promise.ts";
import { createLazyFetch } from "./lazy-fetch.ts";
import { networkPolicyOf } from "./network-reach.ts";

export interface AlertParts {
  readonly context: () => CoreContext;
  readonly secrets: { read(name: string): MaybePromise<string> };
  readonly reader: AnalyticsReader;
}

/** Alerts, and the way to webhooks, which others use too. */
export interface Alerts extends AsyncDisposable {
  readonly inContext: Required<Pick<CoreContext, "webhooks" | "checkAlert">>;
  /** Looks at alerts, and tells what is left from before, from here on; call it when the secrets are loaded. */
  start(): void;
}

/** Asks and sends nothing before `start`. */
export function composeAlerts(config: Config, { context, secrets, reader }: AlertParts): Alerts {
  const fetch = createLazyFetch(networkPolicyOf(config));
  const webhooks = createWebhookSender({ context, secrets, fetch });
  const evaluator: AlertEvaluator = createAlertEvaluator({ context, webhooks, ask: askOf(reader) });
  return {
    inContext: {
      webhooks,
      checkAlert: async (spec) => (await import("./analytics/check-alert.ts")).checkAlert(spec),
    },
    start() {
      webhooks.wake();
      evaluator.start();
    },
    async [Symbol.asyncDispose]() {
      await evaluator[Symbol.asyncDispose]();
      await webhooks[Symbol.asyncDispose]();
      await fetch[Symbol.asyncDispose]();
    },
  };
}

const mostRows = 200;

/** Rows of a question that are added up; further ones are not. */
const mostQuestionRows = 10_000;

function askOf(reader: AnalyticsReader): AskAlertQuestion {
  return async (question, selection, params) => {
    if (question === "costs") refuseFilters(selection);
    switch (question) {
      case "traffic":
        return reader.traffic(selection, selection.toMs - selection.fromMs > 3_600_000 ? 3_600 : 60);
      case "errors":
        return reader.errors(selection, mostRows);
      case "latency":
        return reader.latency(selection, mostRows);
      case "top-models":
        return reader.topModels(selection, mostRows);
      case "top-tools":
        return reader.topTools(selection, mostRows);
      case "costs":
        return (await reader.costs(selection, { groupBy: "api", granularity: "total", limit: mostRows })).rows;
      default:
        return askDefined(reader, question, selection, params);
    }
  };
}

async function askDefined(reader: AnalyticsReader, ...[id, selection, given]: Parameters<AskAlertQuestion>) {
  const { questions } = await import("./analytics/questions/index.ts");
  const question = questions.find((each) => each.id === id);
  if (question === undefined) throw new GatewayError("request.invalid", `There is no question ${id}.`);
  if (question.table === "attempts") refuseFilters(selection);
  const params = question.params.safeParse(given);
  if (!params.success)
    throw new GatewayError("request.invalid", `params: ${params.error.issues[0]?.message ?? "wrong"}`);
  const request = { params: params.data, granularity: "total", limit: mostQuestionRows } as const;
  return (await reader.ask(question, selection, request)).rows;
}

// A filter that is passed over would have the alert watch what nobody meant.
function refuseFilters({ tool, client }: AlertFilters): void {
  if (tool === undefined && client === undefined) return;
  throw new GatewayError("request.invalid", "What is counted by tries knows no tools and no clients.");
}
