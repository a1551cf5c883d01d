import { z } from "zod";
import type { ControlOptions } from "./common-options.ts";
import type { ControlClient } from "./control-client.ts";
import { openControlClient } from "./control-client.ts";
import { printTable } from "./print-table.ts";
import type { Shell } from "./shell.ts";

type ListOptions = ControlOptions & { readonly json?: boolean };

/** Prints all alerts and how they stand. */
export async function listAlerts(options: ListOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const names = (await Array.fromAsync(control.list(collection))).map(
    (each) => resourceSchema.parse(each).metadata.name,
  );
  const states: unknown[] = [];
  for (const name of names) states.push(await control.call("GET", `${collection}/${name}/state`));
  if (options.json === true) return shell.out(JSON.stringify(states, undefined, 2));
  const rows = states.map((each) => {
    const { name, state, value, since, evaluatedAt, error } = stateSchema.parse(each);
    return [name, state, value === null ? "" : String(value), since ?? "", evaluatedAt ?? "", error ?? ""];
  });
  for (const line of printTable(["ALERT", "STATE", "VALUE", "SINCE", "LOOKED AT", "ERROR"], rows)) shell.out(line);
}

/** Prints when alerts fired and were over, the newest first; with a name, of that one. */
export async function alertHistory(
  name: string | undefined,
  options: ListOptions & { readonly limit: number },
  shell: Shell,
): Promise<void> {
  await using control = await openControlClient(options, shell);
  const query = name === undefined ? {} : { alert: name };
  const events = await firstOf(control.list("/api/v1/alert-events", query), options.limit);
  if (options.json === true) return shell.out(JSON.stringify(events, undefined, 2));
  const rows = events.map((each) => {
    const { at, alert, type, value, against, delivery } = eventSchema.parse(each);
    return [
      at,
      alert,
      type,
      value === null ? "" : String(value),
      against === null ? "" : String(against),
      delivery ?? "",
    ];
  });
  for (const line of printTable(["AT", "ALERT", "EVENT", "VALUE", "AGAINST", "DELIVERY"], rows)) shell.out(line);
}

/** Prints what webhooks are told, or were, the newest first. */
export async function listDeliveries(
  options: ListOptions & { readonly state?: string; readonly limit: number },
  shell: Shell,
): Promise<void> {
  await using control = await openControlClient(options, shell);
  const { state, limit } = options;
  const listed = control.list("/api/v1/webhook-deliveries", state === undefined ? {} : { state });
  const deliveries = await firstOf(listed, limit);
  if (options.json === true) return shell.out(JSON.stringify(deliveries, undefined, 2));
  const rows = deliveries.map((each) => {
    const { id, source, host, state: standing, attempts, lastError, nextAt } = deliverySchema.parse(each);
    return [id, source, host, standing, String(attempts), lastError ?? "", nextAt ?? ""];
  });
  for (const line of printTable(["ID", "SOURCE", "HOST", "STATE", "TRIES", "LAST ERROR", "NEXT"], rows))
    shell.out(line);
}

/** Has a webhook told again. */
export async function retryDelivery(id: string, options: ListOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const answer = await control.call("POST", `/api/v1/webhook-deliveries/${encodeURIComponent(id)}/retry`);
  if (options.json === true) return shell.out(JSON.stringify(answer, undefined, 2));
  const { source, host } = deliverySchema.parse(answer);
  shell.note(`${host} is told again of ${source}`);
}

async function firstOf(list: ReturnType<ControlClient["list"]>, most: number): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for await (const each of list) {
    if (found.length >= most) break;
    found.push(each);
  }
  return found;
}

const collection = "/api/v1/alerts";
const text = z.string().nullable();

const resourceSchema = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });

const stateSchema = z.looseObject({
  name: z.string(),
  state: z.string(),
  value: z.number().nullable(),
  since: text,
  evaluatedAt: text,
  error: text,
});

const eventSchema = z.looseObject({
  at: z.string(),
  alert: z.string(),
  type: z.string(),
  value: z.number().nullable(),
  against: z.number().nullable(),
  delivery: text,
});

const deliverySchema = z.looseObject({
  id: z.string(),
  source: z.string(),
  host: z.string(),
  state: z.string(),
  attempts: z.int(),
  lastError: text,
  nextAt: text,
});
