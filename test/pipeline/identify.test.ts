import { expect, test } from "vitest";
import type { Identified } from "../../src/pipeline/define-policy.ts";
import type { InboundRequest } from "../../src/pipeline/exchange.ts";
import { identify } from "../../src/pipeline/identify.ts";
import { deny } from "../../src/pipeline/outcome.ts";
import type { CompiledApi } from "../../src/pipeline/snapshot.ts";
import { applicationId, attach, buildExchange, keyHolder, planId } from "../kit/exchange.ts";

function exchangeWith(
  results: readonly (() => Identified | Promise<Identified>)[],
  api: Partial<CompiledApi> = {},
  inbound: Partial<InboundRequest> = {},
) {
  const chain = {
    identify: results.map((result, index) => ({
      ...attach({ phases: [], inspect: () => ({ type: "pass" }) }),
      use: `policy-${index}`,
      policy: { identify: result },
      guardrail: undefined,
    })),
    admit: [],
    charges: [],
    request: [],
    recall: [],
    response: [],
    record: [],
  };
  return buildExchange({ principal: undefined, api: { chain, ...api }, inbound });
}

const knows = () => ({ type: "principal", principal: keyHolder }) as const;
const refuses = () => deny("auth.invalid_credentials", "No.");
const knowsNothing = () => undefined;

test.each([
  ["the first that knows the caller decides", [knowsNothing, knows, refuses], "admitted"],
  ["one that answers later decides as well", [async () => knows(), refuses], "admitted"],
  ["a refusal is not asked about again", [refuses, knows], "auth.invalid_credentials"],
  ["nobody is let in when none knows the caller", [knowsNothing], "auth.missing_credentials"],
  ["nobody is let in because the list is empty", [], "auth.missing_credentials"],
])("%s", async (_name, policies, ended) => {
  const exchange = exchangeWith(policies);
  const outcome = await identify(exchange);
  expect(outcome?.type === "denied" ? outcome.deny.code : "admitted").toBe(ended);
  expect(exchange.principal === undefined).toBe(ended !== "admitted");
});

test("a keyless API knows strangers as such", async () => {
  const exchange = exchangeWith([], { keyless: "anybody" });
  expect(await identify(exchange)).toBeUndefined();
  expect(exchange.principal).toMatchObject({ type: "anonymous", keyId: undefined });
});

test.each([
  { name: "the machine itself", clientIp: "127.0.0.1", headers: {}, code: undefined },
  { name: "the machine itself over IPv6", clientIp: "::1", headers: {}, code: undefined },
  { name: "a neighbour", clientIp: "192.168.1.7", headers: {}, code: "auth.forbidden" },
  { name: "the internet", clientIp: "8.8.8.8", headers: {}, code: "auth.forbidden" },
  {
    name: "a tunnel on this machine",
    clientIp: "127.0.0.1",
    headers: { "x-forwarded-for": "8.8.8.8" },
    code: "auth.forbidden",
  },
  {
    name: "a proxy on this machine",
    clientIp: "127.0.0.1",
    headers: { forwarded: "for=8.8.8.8" },
    code: "auth.forbidden",
  },
])("a keyless API for loopback gives a stranger from $name: $code", async ({ clientIp, headers, code }) => {
  const exchange = exchangeWith([], { keyless: "loopback" }, { clientIp, headers });
  const outcome = await identify(exchange);
  expect(outcome?.type === "denied" ? outcome.deny : undefined).toEqual(
    code && expect.objectContaining({ code, detail: expect.stringContaining("network.allowKeyless") }),
  );
  expect(exchange.principal?.type).toBe(code === undefined ? "anonymous" : undefined);
});

test("a policy that breaks lets nobody in", async () => {
  const broken = () => Promise.reject(new Error("no store"));
  await expect(identify(exchangeWith([broken], { keyless: "loopback" }))).rejects.toThrow("no store");
});

test.each([
  { name: "an active subscription goes on", parts: { applicationId, planId, subscription: "active" } },
  { name: "no application is told so", parts: {}, told: "not associated with an application" },
  { name: "no subscription is told so", parts: { applicationId }, told: "not subscribed" },
  { name: "a blocked one is told so", parts: { applicationId, planId, subscription: "blocked" }, told: "is blocked" },
  { name: "one on hold is told so", parts: { applicationId, planId, subscription: "on-hold" }, told: "is on hold" },
] as const)("where a subscription is required, a caller with $name", async ({ parts, ...expected }) => {
  const caller = () => ({ type: "principal", principal: { ...keyHolder, ...parts } }) as const;
  const outcome = await identify(exchangeWith([caller], { subscriptionRequired: true }));
  const refusal = outcome?.type === "denied" ? { by: outcome.by, ...outcome.deny } : undefined;
  if (!("told" in expected)) return expect(refusal).toBeUndefined();
  expect(refusal).toMatchObject({ by: "subscription", code: "auth.forbidden" });
  expect(refusal?.message).toContain(expected.told);
});

test("a blocked subscription closes an API that asks for none as well, so that blocking lifts no limits", async () => {
  const blocked = { ...keyHolder, applicationId, planId, subscription: "blocked" } as const;
  const outcome = await identify(exchangeWith([() => ({ type: "principal", principal: blocked })]));
  expect(outcome).toMatchObject({ type: "denied", by: "subscription" });
});
