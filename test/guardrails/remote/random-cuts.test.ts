import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { guardrails } from "../../../src/guardrails/index.ts";
import type { SafeFetch, SafeFetchOptions, SafeResponse } from "../../../src/kernel/safe-fetch.ts";
import { cutAt, cutDialects, judgedStream } from "../cut-streams.ts";
import { asking } from "../trips.ts";
import { compileRemote, serviceTools } from "./ask-service.ts";

const bad = "a knife in the dark";
const isBad = (text: string): boolean => text.includes(bad);

interface Service {
  readonly with: object;
  /** What the service says to a call. */
  answer(sent: unknown): object;
}

const at = { baseUrl: "https://service.example.com/v1", apiKey: "${secret:service-key}" };

/** Each refuses a text with those words, by what it was sent. */
const services: Readonly<Record<string, Service>> = {
  "azure-content-safety": {
    with: { endpoint: "https://service.example.com", apiKey: "${secret:service-key}", violence: 2 },
    answer: (sent) => {
      const { text } = sent as { text: string };
      return { categoriesAnalysis: [{ category: "Violence", severity: isBad(text) ? 4 : 0 }] };
    },
  },
  "bedrock-guardrail": {
    with: {
      region: "eu-central-1",
      guardrailId: "gr1",
      guardrailVersion: "3",
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "${secret:service-key}",
    },
    answer: (sent) => {
      const { content } = sent as { content: readonly { text: { text: string } }[] };
      const found = content.some(({ text }) => isBad(text.text));
      const filters = [{ type: "VIOLENCE", confidence: "HIGH", action: "BLOCKED" }];
      return found
        ? { action: "GUARDRAIL_INTERVENED", outputs: [], assessments: [{ contentPolicy: { filters } }] }
        : { action: "NONE", outputs: [], assessments: [] };
    },
  },
  "openai-moderation": {
    with: at,
    answer: (sent) => {
      const { input } = sent as { input: readonly string[] };
      const results = input.map((text) => ({
        flagged: isBad(text),
        categories: { violence: isBad(text) },
        category_scores: { violence: isBad(text) ? 0.9 : 0 },
      }));
      return { id: "modr-1", model: "m", results };
    },
  },
  "webhook-guardrail": {
    with: { url: "https://service.example.com/", secret: "${secret:service-key}" },
    answer: (sent) => {
      const { data } = sent as { data: { texts: readonly { text: string }[] } };
      return { verdict: data.texts.some(({ text }) => isBad(text)) ? "deny" : "pass" };
    },
  },
};

/** A way out to that service and nowhere else. */
function fetchOf({ answer }: Service): SafeFetch {
  const fetch = (url: string | URL, { body }: SafeFetchOptions): Promise<SafeResponse> => {
    const text = JSON.stringify(answer(JSON.parse(Buffer.from(body ?? "").toString())));
    const headers = { "content-type": "application/json" };
    const told = { url: String(url), status: 200, headers, body: Buffer.from(text) };
    return Promise.resolve({ ...told, text: () => text, json: () => JSON.parse(text) as unknown });
  };
  return Object.assign(fetch, { [Symbol.asyncDispose]: () => Promise.resolve() });
}

const filler = fc
  .array(fc.constantFrom("a", "knife", "in the", "dark.", "\n", "naïve", "𝒳", "שלום"), { maxLength: 90 })
  .map((words) => words.join(" "));
const texts = fc
  .tuple(filler, fc.boolean(), filler)
  .map(([before, holds, after]) => [before, ...(holds ? [bad] : []), after].join(" "));
const cuts = fc.array(fc.nat({ max: 700 }), { maxLength: 60 });

test("every guardrail that asks a service has one here", () => {
  expect(Object.keys(services).toSorted()).toEqual([...asking].toSorted());
});

describe.each(guardrails.filter(({ id }) => services[id] !== undefined))("$id", (plugin) => {
  test.each(cutDialects)("judges a stream of %s the same way however it is cut", async (dialect) => {
    const service = services[plugin.id];
    if (service === undefined) throw new Error("it was just found");
    const config = { ...service.with, phases: ["response"], window: { size: 400, overlap: 100 } };
    const compiled = compileRemote(plugin, config, serviceTools(fetchOf(service)));
    await fc.assert(
      fc.asyncProperty(texts, cuts, async (text, places) => {
        const cut = await judgedStream(compiled, dialect, cutAt(text, places));
        expect(cut.isRefused).toBe(isBad(text));
        if (isBad(text)) expect(cut.text).not.toContain(bad);
        else expect(cut.text).toBe(text);
      }),
      { numRuns: 20 },
    );
  });
});
