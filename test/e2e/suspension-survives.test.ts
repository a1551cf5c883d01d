import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { eventually } from "../kit/eventually.ts";
import type { GatehouseProcess } from "../kit/gatehouse-process.ts";
import type { Processes } from "./plane-processes.ts";
import { addToken, call, open, openProcesses, put } from "./plane-processes.ts";

vi.setConfig({ testTimeout: 300_000 });

let processes: Processes;
beforeEach(async () => {
  processes = await openProcesses();
}, 60_000);
afterEach(() => processes[Symbol.asyncDispose]());

/** Longer than the rest of a queue whose process for rulesets was too slow on a busy machine. */
const withinMs = 75_000;
const rule = {
  severity: "error",
  given: "$.spec",
  // biome-ignore lint/suspicious/noThenProperty: it is Spectral's word
  then: { field: "description", function: "truthy" },
};

async function attach(control: GatehouseProcess): Promise<void> {
  const ruleset = { artifacts: ["LlmApi"], ruleset: { rules: { described: rule } } };
  await put(control, "/rulesets", { metadata: { name: "described" }, spec: ruleset });
  const actions = [{ state: "runtime", severity: "error", type: "suspend" }];
  const policy = { rulesets: ["described"], targets: ["global"], actions };
  await put(control, "/governance-policies", { metadata: { name: "safety" }, spec: policy });
}

/** The API's draft with a description, published. */
async function mend(control: GatehouseProcess): Promise<void> {
  const { json, headers } = await control.control("GET", "/llm-apis/a");
  const { spec } = json as { readonly spec: object }; // the control API's own promise
  expect(headers.get("etag")).not.toBeNull();
  const documents = [
    {
      source: "mend",
      line: 1,
      value: {
        apiVersion: "gatehouse/v1",
        kind: "LlmApi",
        metadata: { name: "a" },
        spec: { ...spec, description: "Chats." },
      },
    },
  ];
  expect((await control.control("POST", "/apply", { documents })).status).toBe(200);
}

test("what is suspended stays so at every gateway when all processes are killed, and is released once it is mended", async () => {
  const control = await processes.startControl();
  const key = await processes.putUpApi(control);
  const gateway = await processes.startGateway("one", control, { token: await addToken(control) });
  expect([await call(control, key), await call(gateway, key)]).toEqual([200, 200]);
  await attach(control);
  const isSuspended = async (each: GatehouseProcess): Promise<boolean> => (await call(each, key)) === 403;
  for (const each of [control, gateway]) await eventually("it is suspended", () => isSuspended(each), withinMs);
  const before = processes.upstream.seen.length;
  expect(await (await open(gateway, key)).text()).toContain("api_suspended");

  await control.end("SIGKILL");
  expect(await call(gateway, key)).toBe(403);
  await gateway.end("SIGKILL");
  const alone = await processes.startGateway("one", control); // from its copy, with nobody to ask
  expect(await call(alone, key)).toBe(403);
  const back = await processes.startControl({}, ["--control-port", new URL(control.controlUrl).port]);
  expect(await call(back, key)).toBe(403); // with its first answer
  const second = await processes.startGateway("two", back, { token: await addToken(back) });
  expect(await call(second, key)).toBe(403);
  expect(processes.upstream.seen).toHaveLength(before);

  await mend(back);
  for (const each of [back, alone, second])
    await eventually("it is released", async () => (await call(each, key)) === 200, withinMs);
  const audit = await back.control("GET", "/audit?limit=200");
  expect([audit.text.match(/api\.suspended/g), audit.text.match(/api\.resumed/g)]).toMatchObject([
    { length: 1 },
    { length: 1 },
  ]);
});

test("a process that is killed before it has looked suspends after its start", async () => {
  const control = await processes.startControl();
  const key = await processes.putUpApi(control);
  await attach(control);
  await control.end("SIGKILL");
  const back = await processes.startControl();
  await eventually("it is suspended", async () => (await call(back, key)) === 403, withinMs);
});
