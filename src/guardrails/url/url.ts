import { z } from "zod";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { GuardrailPhase, TextSpan, Verdict } from "../../pipeline/define-guardrail.ts";
import { defineGuardrail } from "../../pipeline/define-guardrail.ts";
import { phasesMember } from "../held-whole.ts";
import { createLinkChecker } from "./check-links.ts";
import type { FoundUrl } from "./find-urls.ts";
import { findUrls } from "./find-urls.ts";
import { isPrivateHost, readUrl } from "./read-url.ts";
import type { UrlParts } from "./url-pattern.ts";
import { isUrlPattern, urlMatcher } from "./url-pattern.ts";

const patterns = z
  .array(
    z
      .string()
      .min(1)
      .max(500)
      .refine(isUrlPattern, "a host such as *.example.com, or a URL such as https://example.com/docs/*"),
  )
  .min(1)
  .max(10_000)
  .optional();

const config = z.strictObject({
  allow: patterns.meta({
    title: "Allow",
    description:
      "Hosts or URLs with `*` and `?`; every other URL is bad. `*.example.com` does not mean example.com itself.",
  }),
  deny: patterns.meta({ title: "Deny", description: "Hosts or URLs that are bad, also where they are allowed." }),
  schemes: z
    .array(z.string().regex(/^[a-z][a-z0-9+.-]{0,30}$/, "a scheme in small letters, without the colon"))
    .min(1)
    .max(50)
    .optional()
    .meta({ title: "Schemes", description: "Every other scheme is bad; any is good when absent." }),
  privateHosts: z.enum(["allow", "deny"]).default("allow").meta({
    title: "Private hosts",
    description: "Whether addresses and names inside of networks are bad, by any spelling of them.",
  }),
  check: z.enum(["none", "dns", "head"]).default("none").meta({
    title: "Check",
    description:
      "`dns`: the host has a public address. `head`: a server answers, without the query and at public addresses only. Asked of URLs that are good otherwise.",
  }),
  timeoutMs: z.int().min(100).max(30_000).default(3_000).meta({
    title: "Timeout",
    description: "Milliseconds for all checks of a message together; what has not answered by then is bad.",
  }),
  action: z.enum(["deny", "redact"]).default("deny").meta({
    title: "Action",
    description: "Refuse a message with a bad URL, or replace the URL.",
  }),
  replacement: z.string().max(200).default("[link removed]").meta({
    title: "Replacement",
    description: "Stands in place of a bad URL; literal.",
  }),
  maxUrls: z.int().min(1).max(1_000).default(100).meta({
    title: "Most URLs",
    description: "A text with more of them is refused.",
  }),
  longestUrl: z.int().min(64).max(8_000).default(1_000).meta({
    title: "Longest URL",
    description: "Characters; a longer one is bad. About twice as much of a streamed answer is held back.",
  }),
  phases: phasesMember.default(["request", "response"]),
});

/**
 * Judges the URLs in texts by lists, schemes and, if asked, by whether something is there. The refusal and the assessment
 * tell how many are bad and why, not which.
 */
export const url = defineGuardrail({
  id: "url",
  title: "URLs",
  summary: "Refuses messages with URLs that are not permitted or lead nowhere, or removes those.",
  config,
  examples: [
    { allow: ["example.com", "*.example.com"], action: "redact", phases: ["response"] },
    { deny: ["*.onion", "https://files.example.com/private/*"], schemes: ["https"], privateHosts: "deny" },
    { check: "dns", timeoutMs: 2_000 },
  ],
  onError: "deny",
  compile(options, tools) {
    const { check, timeoutMs, longestUrl, maxUrls, phases } = options;
    const judge = compileJudge(options);
    const checker = check === "none" ? undefined : createLinkChecker(check, timeoutMs, tools);
    const overlap = longestUrl + 1;
    return {
      phases,
      window: { size: 2 * longestUrl + 128, overlap },
      inspect(spans, phase, call): MaybePromise<Verdict> {
        const links: Link[] = []; // those that are bad, or are to be checked
        let count = 0;
        for (const [index, span] of spans.entries()) {
          const found = findUrls(span.text, longestUrl, maxUrls);
          let ended = 0;
          for (const each of found) {
            if (mayGoOn(each, span, overlap)) continue;
            ended += 1;
            const { fault, parts } = judge(each);
            if (fault === undefined && checker === undefined) continue;
            links.push({ start: each.start, end: each.end, isHidden: each.isHidden, span: index, fault, parts });
          }
          if (ended > maxUrls) return tooMany(phase, maxUrls);
          count += ended;
        }
        if (checker === undefined) return settle(links, count, phase, options);
        const open = links.filter(isOpen);
        if (open.length === 0) return settle(links, count, phase, options);
        return checker
          .check(
            open.map(({ parts }) => parts),
            call.signal,
          )
          .then((isThere) => {
            for (const [index, link] of open.entries()) if (isThere[index] !== true) link.fault = "leads nowhere";
            return settle(links, count, phase, options);
          });
      },
    };
  },
});

interface Judged {
  /** What is bad about it. */
  fault: string | undefined;
  readonly parts: UrlParts | undefined;
}

interface Link extends Pick<FoundUrl, "start" | "end" | "isHidden">, Judged {
  readonly span: number;
}

function isOpen(link: Link): link is Link & { readonly parts: UrlParts } {
  return link.fault === undefined && link.parts !== undefined && /^https?$/.test(link.parts.scheme);
}

/** At the end of a part of a stream it may be longer than it looks; it comes again with the next part. */
function mayGoOn({ start, isAtEnd, isHidden }: FoundUrl, { text, part }: TextSpan, overlap: number): boolean {
  return part?.goesOn === true && isAtEnd && !isHidden && start >= text.length - overlap;
}

function compileJudge({ allow, deny, schemes, privateHosts, check, longestUrl }: z.output<typeof config>) {
  const isAllowed = allow === undefined ? undefined : urlMatcher(allow);
  const isDenied = urlMatcher(deny ?? []);
  const known = schemes === undefined ? undefined : new Set(schemes);
  return ({ start, end, url: text }: FoundUrl): Judged => {
    if (end - start > longestUrl) return { fault: "too long", parts: undefined };
    const parts = readUrl(text);
    // What cannot be read here may be read elsewhere: no list of good ones has it.
    if (parts === undefined)
      return { fault: isAllowed !== undefined || check !== "none" ? "not readable" : undefined, parts };
    const fault =
      (known?.has(parts.scheme) === false && "scheme not permitted") ||
      (isDenied(parts) && "denied") ||
      (isAllowed?.(parts) === false && "not allowed") ||
      (privateHosts === "deny" && isPrivateHost(parts.host) && "private host") ||
      undefined;
    return { fault, parts };
  };
}

function settle(
  links: readonly Link[],
  count: number,
  phase: GuardrailPhase,
  { action, replacement }: z.output<typeof config>,
): Verdict {
  const bad = links.filter(({ fault }) => fault !== undefined);
  if (bad.length === 0) return { type: "pass" };
  const detail = `${bad.length} of ${count} URLs: ${[...new Set(bad.map(({ fault }) => fault))].join(", ")}`;
  const faults: Record<string, number> = {};
  for (const { fault = "" } of bad) faults[fault] = (faults[fault] ?? 0) + 1;
  const assessment = { urls: count, badUrls: bad.length, faults };
  if (action === "deny" || bad.some(({ isHidden }) => isHidden)) {
    return { type: "deny", reason: `The ${phase} holds URLs that are not permitted here.`, detail, assessment };
  }
  const edits = bad.flatMap(({ span, start, end }, index) => {
    const before = bad[index - 1];
    return before?.span === span && before.end > start ? [] : [{ span, start, end, replacement }];
  });
  return { type: "rewrite", edits, detail, assessment };
}

function tooMany(phase: GuardrailPhase, most: number): Verdict {
  return { type: "deny", reason: `The ${phase} holds too many URLs.`, detail: `more than ${most} URLs` };
}
