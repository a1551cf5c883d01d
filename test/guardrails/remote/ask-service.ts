import { createNetworkPolicy } from "../../../src/kernel/network-policy.ts";
import type { SafeFetch } from "../../../src/kernel/safe-fetch.ts";
import { createSafeFetch } from "../../../src/kernel/safe-fetch.ts";
import type { GuardrailPlugin, TextSpan, Verdict } from "../../../src/pipeline/define-guardrail.ts";
import type { TestTools } from "../../kit/exchange.ts";
import { buildTools } from "../../kit/exchange.ts";

/** The way out to services on this machine. */
export function loopbackFetch(): SafeFetch {
  return createSafeFetch({ policy: createNetworkPolicy({ allowCidrs: [], operatorReach: ["loopback"] }) });
}

/** What a guardrail gets that asks a service, with the secret `service-key`. */
export function serviceTools(fetch: SafeFetch): TestTools {
  return { ...buildTools({ "service-key": "key-of-the-service" }), fetch };
}

/** Such a guardrail, compiled. */
export function compileRemote(plugin: GuardrailPlugin, config: object, tools: TestTools) {
  return plugin.compile(plugin.config.parse(config), tools);
}

/** Texts of a user. */
export function userTexts(...texts: readonly string[]): TextSpan[] {
  return texts.map((text, index) => ({ place: `messages[${index}].content`, text, author: "user" }));
}

/** The edits of a verdict, none of another one. */
export function editsOf(verdict: Verdict) {
  return verdict.type === "rewrite" ? verdict.edits : [];
}
