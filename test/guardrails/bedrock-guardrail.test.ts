import { expect, test } from "vitest";
import { bedrockGuardrail } from "../../src/guardrails/bedrock-guardrail.ts";
import type { GuardrailPhase } from "../../src/pipeline/define-guardrail.ts";
import { guardedCall } from "../kit/guarded-call.ts";
import type { MockUpstream, Respond } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";
import { edited } from "../kit/text-adapter.ts";
import { compileRemote, editsOf, loopbackFetch, serviceTools, userTexts } from "./remote/ask-service.ts";

interface Sent {
  readonly source: string;
  readonly content: readonly { readonly text: { readonly text: string } }[];
}

/** Blocks knives and masks addresses of mail. */
const bedrock: Respond = (request, response) => {
  const texts = (JSON.parse(request.body.toString()) as Sent).content.map(({ text }) => text.text); // as it was sent
  const isBlocked = texts.some((text) => text.includes("knife"));
  const isMasked = texts.some((text) => /\S+@\S+/.test(text));
  const filters = [{ type: "VIOLENCE", confidence: "HIGH", action: "BLOCKED" }];
  const piiEntities = [{ type: "EMAIL", match: "ann@b.example", action: "ANONYMIZED" }];
  const answer = {
    action: isBlocked || isMasked ? "GUARDRAIL_INTERVENED" : "NONE",
    outputs: isBlocked
      ? [{ text: "Sorry." }]
      : isMasked
        ? [{ text: texts.map((text) => text.replaceAll(/\S+@\S+/g, "{EMAIL}")).join("\n") }]
        : [],
    assessments: [
      {
        ...(isBlocked && { contentPolicy: { filters } }),
        ...(isMasked && { sensitiveInformationPolicy: { piiEntities } }),
        invocationMetrics: { guardrailProcessingLatency: 1 },
      },
    ],
  };
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
};

test("asks AWS as it wants to be asked, signed", async () => {
  await using server = await startMockUpstream(bedrock);
  expect(await judge(server, "response", "kind", "words")).toEqual({ type: "pass" });
  const [seen] = server.seen;
  expect(seen?.url).toBe("/guardrail/gr1/version/3/apply");
  expect(JSON.parse(seen?.body.toString() ?? "")).toEqual({
    source: "OUTPUT",
    content: [{ text: { text: "kind" } }, { text: { text: "words" } }],
  });
  expect(seen?.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/\d{8}\/eu-central-1\/bedrock\/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$/,
  );
  expect(JSON.stringify(seen?.headers)).not.toContain("key-of-the-service");
});

test("what is blocked is refused, and told by its kinds only", async () => {
  await using server = await startMockUpstream(bedrock);
  const verdict = await judge(server, "request", "a knife for ann@b.example");
  expect(verdict).toEqual({
    type: "deny",
    reason: "The request is not permitted by the content policy.",
    detail: "VIOLENCE",
    assessment: { blocked: ["VIOLENCE"] },
  });
});

test("what is masked takes the place of what was written, in each of several texts", async () => {
  await using server = await startMockUpstream(bedrock);
  const texts = ["write to ann@b.example today", "nothing here", "or bob@c.example"];
  const verdict = await judge(server, "request", ...texts);
  expect(verdict).toMatchObject({ type: "rewrite", detail: "masked EMAIL", assessment: { masked: ["EMAIL"] } });
  const masked = texts.map((text, span) =>
    edited(
      text,
      editsOf(verdict).filter((edit) => edit.span === span),
    ),
  );
  expect(masked).toEqual(["write to {EMAIL} today", "nothing here", "or {EMAIL}"]);
});

test("an intervention that says nothing of itself is a refusal", async () => {
  await using server = await startMockUpstream((_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).end('{"action":"GUARDRAIL_INTERVENED"}');
  });
  expect(await judge(server, "request", "a")).toMatchObject({ type: "deny", detail: "intervened" });
});

test.each([{ region: "moon" }, { guardrailVersion: "0" }, { guardrailId: "a/b" }])(
  "the configuration %j is refused",
  (config) => {
    expect(bedrockGuardrail.config.safeParse({ ...settings("https://a.example"), ...config }).success).toBe(false);
  },
);

function settings(endpoint: string) {
  const place = { region: "eu-central-1", guardrailId: "gr1", guardrailVersion: "3", endpoint };
  return { ...place, accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "${secret:service-key}" };
}

async function judge(server: MockUpstream, phase: GuardrailPhase, ...texts: readonly string[]) {
  await using fetch = loopbackFetch();
  const guardrail = compileRemote(bedrockGuardrail, settings(server.url), serviceTools(fetch));
  return await guardrail.inspect(userTexts(...texts), phase, guardedCall());
}
