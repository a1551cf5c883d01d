import type { Explanation } from "../analytics/explanation.ts";
import { explanationSchema } from "../analytics/explanation.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { plainText } from "./plain-text.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

export interface ExplainOptions extends ControlOptions {
  readonly json?: boolean;
}

/** Prints every step's verdict for one request. */
export async function explain(exchangeId: string, options: ExplainOptions, shell: Shell): Promise<void> {
  if (!/^[0-9a-f-]{36}$/i.test(exchangeId)) {
    throw new GatewayError("request.invalid", "Name the exchange by its id: the header x-request-id of the answer.");
  }
  await using control = await openControlClient(options, shell);
  const found = await control.call("GET", `/api/v1/analytics/exchanges/${exchangeId}/explain`);
  if (options.json === true) return shell.out(JSON.stringify(found));
  for (const line of linesOf(explanationSchema.parse(found))) shell.out(line);
}

function linesOf({
  exchangeId,
  at,
  api,
  node,
  traceId,
  config,
  operations,
  captures,
  notRecorded,
}: Explanation): readonly string[] {
  return [
    `Exchange ${exchangeId}`,
    `  ${at} at ${api.kind} ${plainText(api.name)}, revision ${api.revision}, on ${plainText(node)}${traceId === null ? "" : `, trace ${traceId}`}`,
    `  configuration ${config.hash.slice(0, 12)}${config.isKept ? "" : " (not kept)"}`,
    ...operations.flatMap(operationLines),
    ...(captures === 0 ? [] : ["", `Texts are kept: gatehouse analytics texts ${exchangeId}`]),
    ...(config.attached.length === 0 ? [] : ["", "Attached, in the order in which it runs:"]),
    ...config.attached.map(({ policy, mode, owner }) => `  ${policy} (${mode}) of ${plainText(owner)}`),
    "",
    "Not recorded:",
    ...notRecorded.map((each) => `  ${each}`),
  ];
}

function operationLines(operation: Explanation["operations"][number]): readonly string[] {
  const { kind, name, outcome, status, durationMs, steps, attempts } = operation;
  const table = printTable(
    ["  STEP", "VERDICT", ""],
    steps.map((step) => [`  ${step.step}`, step.verdict, plainText(step.summary)]),
  );
  const tries = attempts.map((each) => [
    `  ${each.attempt}`,
    plainText(each.target),
    plainText(each.model ?? ""),
    String(each.status ?? each.errorCode ?? ""),
    each.durationMs === null ? "" : `${each.durationMs} ms`,
  ]);
  return [
    "",
    plainText(
      `${[kind, name].filter((word) => word !== null).join(" ") || "request"}: ${outcome}, ${status}, ${durationMs} ms`,
    ),
    ...table,
    ...steps.flatMap(({ step, facts, decisions }) => [
      ...decisions.map((each) =>
        plainText(
          `  ${step}: ${each.policy} at ${each.place}: ${each.action} (${each.mode}) ${each.code ?? ""} ${each.detail ?? ""}`,
        ).trimEnd(),
      ),
      ...(Object.keys(facts).length === 0 ? [] : [plainText(`  ${step}: ${factsText(facts)}`)]),
    ]),
    ...(tries.length === 0 ? [] : printTable(["  TRY", "TARGET", "MODEL", "END", "TOOK"], tries)),
  ];
}

function factsText(facts: Explanation["operations"][number]["steps"][number]["facts"]): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(",") : String(value)}`)
    .join(" ");
}
