import { z } from "zod";
import type { SpanEdit, StreamWindow } from "../../pipeline/define-guardrail.ts";
import { defineGuardrail } from "../../pipeline/define-guardrail.ts";
import type { PartMemory } from "../text/find-in-parts.ts";
import { findInParts } from "../text/find-in-parts.ts";
import { secretFinder, secretKinds } from "./find-secrets.ts";

const [firstKind = "", ...otherKinds] = secretKinds;

const config = z.strictObject({
  action: z.enum(["redact", "block", "annotate"]).default("redact").meta({
    title: "Action",
    description: "Replace what is found, refuse the message, or only note it.",
  }),
  phases: z
    .array(z.enum(["request", "response"]))
    .min(1)
    .max(2)
    .default(["request", "response"])
    .meta({ title: "Phases", description: "Which messages are looked at. Streamed answers hold back 384 characters." }),
  kinds: z
    .array(z.enum([firstKind, ...otherKinds]))
    .min(1)
    .max(100)
    .optional()
    .meta({ title: "Kinds", description: "Those that are looked for; all when absent." }),
  minBits: z.number().min(1).max(6).default(3).meta({
    title: "Least entropy",
    description:
      "Bits a character that a value beside a name such as `token` must have. Random hex has some 3.5, base64 some 4.5.",
  }),
  allow: z.array(z.string().min(1).max(4_096)).max(1_000).default([]).meta({
    title: "Allow",
    description: "Values that may pass though they look like secrets, such as keys of examples.",
  }),
  replacement: z
    .string()
    .max(200)
    .default("[secret]")
    .meta({ title: "Replacement", description: "Stands in place of a redacted secret; literal." }),
});

const window: StreamWindow = { size: 384, overlap: 256 };

/**
 * Keeps keys, tokens and passwords out of requests and answers: known by the forms that their issuers give them, or by a name
 * beside a value that looks random. What is said of them in rows are kinds and counts.
 */
export const secrets = defineGuardrail({
  id: "secrets",
  title: "Secrets",
  summary: "Redacts or refuses keys, tokens and passwords.",
  config,
  examples: [{}, { action: "block", phases: ["request"], allow: ["sk_test_4eC39HqLyjWDarjtT1zdp7dc"] }],
  onError: "deny",
  isPure: "whole texts",
  compile({ action, phases, kinds, minBits, allow, replacement }) {
    const find = secretFinder({ kinds: new Set(kinds ?? secretKinds), allowed: new Set(allow), minBits });
    return {
      phases,
      window,
      inspect(spans, phase, call) {
        const counts: Record<string, number> = {};
        const edits: SpanEdit[] = [];
        const isStream = spans.some(({ part }) => part !== undefined);
        const parts = isStream ? call.memory((): PartMemory => new Map()) : new Map();
        for (const [span, each] of spans.entries()) {
          for (const { start, end, kind, isRest } of findInParts(each, parts, window.overlap, find)) {
            if (isRest !== true) counts[kind] = (counts[kind] ?? 0) + 1;
            edits.push({ span, start, end, replacement: isRest === true ? "" : replacement });
          }
        }
        if (edits.length === 0) return { type: "pass" };
        const found = Object.entries(counts);
        const told = {
          detail: found.map(([kind, count]) => `${kind} ${count}`).join(", "),
          assessment: { found: counts },
        };
        if (action === "annotate") return { type: "pass", ...told };
        if (action === "redact") return { type: "rewrite", edits, ...told };
        return {
          type: "deny",
          reason: `The ${phase} holds a secret that is not permitted here: ${found.map(([kind]) => kind).join(", ")}.`,
          ...told,
        };
      },
    };
  },
});
