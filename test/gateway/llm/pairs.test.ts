import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { InboundDialectId } from "../../../src/routing/dialects/index.ts";
import { llmFeatures } from "../../kit/llm-features.ts";
import type { LlmPairs } from "../../kit/llm-pairs.ts";
import { models, startLlmPairs } from "../../kit/llm-pairs.ts";
import type { UpstreamId } from "../../kit/llm-replay.ts";
import { upstreams } from "../../kit/llm-replay.ts";
import type { RawAnswer } from "../../kit/raw-http.ts";
import { rawHttp } from "../../kit/raw-http.ts";
import { pairsPage } from "./pairs-page.ts";

let pairs: LlmPairs;

beforeAll(async () => {
  pairs = await startLlmPairs();
});

afterAll(() => pairs[Symbol.asyncDispose]());

const paths = {
  "openai-chat": "chat/completions",
  "openai-responses": "responses",
  "anthropic-messages": "messages",
} as const;
const inbounds = Object.keys(paths) as readonly InboundDialectId[]; // of the object above
const spoken: Readonly<Record<InboundDialectId, readonly UpstreamId[]>> = {
  "openai-chat": ["openai", "azure-openai", "mistral", "ollama"],
  "openai-responses": ["openai", "azure-openai"],
  "anthropic-messages": ["anthropic", "vertex-claude"],
};
const table = inbounds.flatMap((inbound) => upstreams.map((upstream) => ({ inbound, upstream })));
const passed = table.filter(({ inbound, upstream }) => spoken[inbound].includes(upstream));
const translated = table.filter(({ inbound, upstream }) => !spoken[inbound].includes(upstream));
/** What became of each feature, by pair: `as is`, `carried`, or the name of what was refused. */
const found = new Map<string, string>();

async function ask(inbound: InboundDialectId, upstream: UpstreamId, body: object): Promise<RawAnswer> {
  const { url, key } = pairs.apis[upstream];
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  const whole = JSON.stringify({ model: models[upstream], ...body });
  return rawHttp(`${url}/${paths[inbound]}`, { headers, body: whole });
}

describe.each(passed)("$inbound at $upstream passes untouched", ({ inbound, upstream }) => {
  const asked = llmFeatures.filter((feature) => feature[inbound] !== undefined);

  test.each(asked)("$title", async ({ title, answer = "text", [inbound]: body = {} }) => {
    const { replay } = pairs;
    replay.answer(answer);
    for (const stream of [false, true]) {
      const got = await ask(inbound, upstream, { ...body, ...(stream && streamed[inbound]) });
      const isResponses = inbound === "openai-responses";
      const fixture =
        replay.bytes(upstream, answer, stream, isResponses) ?? replay.bytes(upstream, "text", stream, isResponses);
      expect([got.status, got.text]).toEqual([200, fixture?.toString("utf8")]);
      expect(JSON.parse(replay.upstream.seen.at(-1)?.body.toString("utf8") ?? "")).toMatchObject(
        ownWords(upstream, body),
      );
    }
    found.set(`${inbound}/${upstream}/${title}`, "as is");
  });
});

const streamed = {
  "openai-chat": { stream: true, stream_options: { include_usage: true } },
  "openai-responses": { stream: true },
  "anthropic-messages": { stream: true },
};

/** What reaches a provider that has other names for members, takes only ids of nine signs, or is told the model in the path. */
function ownWords(upstream: UpstreamId, body: object): object {
  const { max_completion_tokens: bound, seed, safety_identifier: _user, ...rest } = body as Record<string, unknown>; // JSON
  if (upstream === "mistral" || upstream === "ollama") {
    const isMistral = upstream === "mistral";
    const { messages: _ids, ...others } = rest;
    return {
      ...(isMistral ? others : rest),
      ...(bound === undefined ? {} : { max_tokens: bound }),
      ...(seed === undefined ? {} : { [isMistral ? "random_seed" : "seed"]: seed }),
    };
  }
  return body;
}

describe.each(translated)("$inbound at $upstream is translated", ({ inbound, upstream }) => {
  test("whole and streamed, or refused by name", async () => {
    const golden: Record<string, unknown> = {};
    for (const feature of llmFeatures) {
      const { title, answer = "text", [inbound]: body } = feature;
      if (body === undefined) continue;
      pairs.replay.answer(answer);
      const before = pairs.replay.upstream.seen.length;
      const whole = await ask(inbound, upstream, body);
      if (whole.status !== 200) {
        const name = refusedName(whole);
        expect([title, whole.status, name]).toEqual([title, 400, expect.stringMatching(/^[\w.[\]]+$/)]);
        expect(pairs.replay.upstream.seen.length).toBe(before);
        found.set(`${inbound}/${upstream}/${title}`, name);
        continue;
      }
      const sent: unknown = JSON.parse(pairs.replay.upstream.seen.at(-1)?.body.toString("utf8") ?? "");
      const stream = await ask(inbound, upstream, { ...body, ...streamed[inbound] });
      expect(stream.status).toBe(200);
      found.set(`${inbound}/${upstream}/${title}`, "carried");
      const hasOwnAnswer = pairs.replay.bytes(upstream, answer, false) !== undefined;
      const told = hasOwnAnswer && (answer !== "text" || title === llmFeatures[0]?.title);
      golden[title] = { sent, ...(told && { whole: settled(whole), streamed: settled(stream) }) };
    }
    const file = join("..", "..", "fixtures", "llm", "golden", `${inbound}--${upstream}.json`);
    await expect(`${JSON.stringify(golden, null, 1)}\n`).toMatchFileSnapshot(file);
  });
});

/** The member that a refusal names. */
function refusedName(answer: RawAnswer): string {
  const { error } = answer.json() as { error: { message: string; param?: string } }; // every refusal has one
  return error.param ?? /^`([^`]+)`/.exec(error.message)?.[1] ?? `?? ${error.message}`;
}

/** An answer without what differs from run to run; a stream as the data of its events. */
function settled({ text, headers }: RawAnswer): unknown {
  const id = String(headers["x-request-id"]);
  const same = text
    .replaceAll(id, "EXCHANGE")
    .replaceAll(id.replaceAll("-", ""), "EXCHANGE")
    .replaceAll(/"(created|created_at)":\d+/g, '"$1":0');
  if (!String(headers["content-type"]).startsWith("text/event-stream")) return JSON.parse(same);
  return [...same.matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => data);
}

test("docs/reference/llm-pairs.md says what these tests have seen", async () => {
  expect(found.size).toBeGreaterThan(500);
  const page = pairsPage(llmFeatures, inbounds, upstreams, found);
  await expect(page).toMatchFileSnapshot(join("..", "..", "..", "docs", "reference", "llm-pairs.md"));
});
