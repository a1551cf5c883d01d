import { z } from "zod";
import { limitWindowSchema, timeZoneSchema } from "../core/limit-window.ts";
import { globMatcher } from "../kernel/glob.ts";
import { definePolicy } from "../pipeline/define-policy.ts";
import type { Operation } from "../pipeline/exchange.ts";
import { alignSchema, joinLimits, windowWords } from "../pipeline/limit-config.ts";
import { limitSubjectSchema, limitSubjects, subjectName } from "../pipeline/limit-subject.ts";
import { createUsageLimit } from "../pipeline/usage-limit.ts";

const config = z.strictObject({
  windows: z
    .array(
      z
        .strictObject({
          requests: z.int().min(0).max(1_000_000_000).meta({
            title: "Requests",
            description: "So many in each window and per subject; 0 lets nothing through.",
          }),
          window: limitWindowSchema,
        })
        .meta({ title: "Window", description: "One limit; all of them hold." }),
    )
    .min(1)
    .max(10)
    .meta({ title: "Windows", description: "Limits that hold at the same time, such as 10 a second and 1000 a day." }),
  timeZone: timeZoneSchema,
  align: alignSchema,
  per: limitSubjectSchema,
  cost: z
    .array(
      z.strictObject({
        on: z
          .array(z.string().min(1).max(256))
          .min(1)
          .max(100)
          .meta({ title: "Operations", description: "Globs of models, tools or operation kinds." }),
        requests: z
          .int()
          .min(0)
          .max(1_000_000)
          .meta({ title: "Requests", description: "What one of them counts as; 0 is free." }),
      }),
    )
    .max(100)
    .default([])
    .meta({ title: "Cost", description: "What operations count as, by the first entry that fits; 1 where none does." }),
});

/**
 * So many requests in each window of a calendar, or rolling; several windows at once, all or none of which count a
 * request. For MCP every message is a request, and `cost` says how much of one.
 */
export const quota = definePolicy({
  id: "quota",
  title: "Quota",
  summary: "Lets through so many requests a minute, day or month, in several windows at once.",
  config,
  examples: [
    {
      windows: [
        { requests: 10, window: { milliseconds: 1_000 } },
        { requests: 1_000, window: "day" },
        { requests: 20_000, window: "month" },
      ],
      per: "subscription",
      timeZone: "Europe/Vienna",
    },
    {
      windows: [{ requests: 500, window: "hour" }],
      cost: [
        { on: ["tools/list", "initialize"], requests: 0 },
        { on: ["report-*"], requests: 10 },
      ],
    },
  ],
  onError: "deny",
  isLimit: true,
  compile({ windows, timeZone, align, per, cost }, tools, { place }) {
    const weights = cost.map(({ on, requests }) => ({ fits: globMatcher(on), requests }));
    const weight = ({ name, kind }: Operation): number =>
      weights.find(({ fits }) => fits(name) || fits(kind))?.requests ?? 1;
    const subject = limitSubjects(per);
    const limits = windows.map(({ requests, window }, index) =>
      createUsageLimit(
        {
          // A second limit over the same window is a counter of its own.
          place: windows.findIndex((other) => sameWindow(other.window, window)) === index ? place : `${place}#${index}`,
          measure: "requests",
          limit: requests,
          window,
          timeZone,
          align,
          words: `${requests} requests ${windowWords(window)}`,
          per: subjectName(per),
          subject,
          weight,
          reserveOutput: 0,
          reservePrompt: "estimate",
          longAnswer: "charge",
          unpriced: "free",
        },
        tools,
      ),
    );
    return joinLimits(limits);
  },
});

function sameWindow(left: z.output<typeof limitWindowSchema>, right: z.output<typeof limitWindowSchema>): boolean {
  return windowWords(left) === windowWords(right);
}
