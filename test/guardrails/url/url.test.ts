import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { url } from "../../../src/guardrails/url/url.ts";
import { createHostCheck } from "../../../src/kernel/host-check.ts";
import { createNetworkPolicy } from "../../../src/kernel/network-policy.ts";
import { createSafeFetch } from "../../../src/kernel/safe-fetch.ts";
import type { PluginTools } from "../../../src/pipeline/plugin.ts";
import { attach, buildTools } from "../../kit/exchange.ts";
import { guardedCall } from "../../kit/guarded-call.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import { collect, cutsOf } from "../../kit/stream-guards.ts";
import { edited, textOf } from "../../kit/text-adapter.ts";

describe("a list of what is allowed", () => {
  const allow = ["example.com", "*.example.com", "https://docs.example.org:8443/public/*", "*.münchen.example"];
  test.each([
    { name: "a host of it", text: "https://example.com/x", passes: true },
    { name: "a host by a wildcard", text: "https://a.b.example.com", passes: true },
    { name: "a host in capitals, with a dot at its end", text: "https://EXAMPLE.com./", passes: true },
    { name: "a host with percent signs in it", text: "https://ex%61mple.com", passes: true },
    { name: "a path of it", text: "https://docs.example.org:8443/public/a?b=c", passes: true },
    {
      name: "a name in other letters",
      text: "https://www.münchen.example and https://www.xn--mnchen-3ya.example",
      passes: true,
    },
    { name: "no URL at all", text: "nothing", passes: true },
    { name: "another host", text: "https://example.org", passes: false },
    { name: "a host that begins like one of it", text: "https://example.com.evil.example", passes: false },
    { name: "a host behind a user's name", text: "https://example.com@evil.example/", passes: false },
    { name: "a host before a backslash", text: "https://evil.example\\@example.com/", passes: false },
    { name: "a wildcard that would reach over a slash", text: "https://evil.example/.example.com", passes: false },
    { name: "a path that goes up", text: "https://docs.example.org:8443/public/../secret", passes: false },
    { name: "another port", text: "https://docs.example.org/public/a", passes: false },
    { name: "another host inside of a URL", text: "https://example.com/?to=https://evil.example", passes: false },
    { name: "zero-width letters inside of the name", text: "https://evil\u200b.example/", passes: false },
    { name: "letters that look alike", text: "https://ex\u0430mple.com/", passes: false },
    { name: "what is no host", text: "javascript:alert(1)", passes: false },
    { name: "what cannot be read", text: "https://a b https://exa[mple.com/", passes: false },
    { name: "what is too long", text: `https://example.com/${"a".repeat(1_000)}`, passes: false },
    { name: "a host hidden by escapes of JSON", text: '{"u":"https:\\/\\/\\u0065vil.example"}', passes: false },
  ])("judges $name", async ({ text, passes }) => {
    expect((await inspect({ allow }, text)).type).toBe(passes ? "pass" : "deny");
  });
});

test.each([
  { name: "a denied host", config: { deny: ["evil.example"] }, text: "http://evil.example", passes: false },
  {
    name: "what is denied and allowed",
    config: { deny: ["a.example"], allow: ["*"] },
    text: "http://a.example",
    passes: false,
  },
  { name: "another host", config: { deny: ["evil.example"] }, text: "http://good.example", passes: true },
  { name: "a scheme that is not listed", config: { schemes: ["https"] }, text: "http://a.example", passes: false },
  { name: "a listed scheme", config: { schemes: ["https"] }, text: "https://a.example", passes: true },
  { name: "as many as may be", config: { maxUrls: 2 }, text: "https://a.b https://c.d", passes: true },
  { name: "one more", config: { maxUrls: 1 }, text: "https://a.b https://c.d", passes: false },
])("judges $name", async ({ config, text, passes }) => {
  expect((await inspect(config, text)).type).toBe(passes ? "pass" : "deny");
});

const insideSpellings = [
  "http://127.0.0.1/",
  "http://2130706433/",
  "http://0x7f000001/",
  "http://0177.0.0.1/",
  "http://127.1/",
  "http://0/",
  "http://①②⑦.0.0.1/",
  "http://127.0.0.1./",
  "http://%31%32%37.0.0.1/",
  "http://[::1]/",
  "http://[::ffff:127.0.0.1]/",
  "http://[0:0:0:0:0:ffff:7f00:1]/",
  "http://[64:ff9b::a00:1]/",
  "http://a@10.0.0.1/",
  "http:\\\\192.168.0.1\\",
  "http://169.254.169.254/latest",
  "http://localhost/",
  "http://intranet/",
  "gopher://0x7f.1/",
];

test.each(insideSpellings)("%s is a private host", async (text) => {
  expect((await inspect({ privateHosts: "deny" }, text)).type).toBe("deny");
});

test("a public host is none", async () => {
  expect((await inspect({ privateHosts: "deny" }, "https://example.com http://93.184.216.34/")).type).toBe("pass");
});

test("bad URLs can be replaced, and good ones stay", async () => {
  const text = "Go to https://evil.example/a?b=https://evil.example, not to https://good.example.";
  const verdict = await inspect({ allow: ["good.example"], action: "redact" }, text);
  expect(edited(text, verdict.type === "rewrite" ? verdict.edits : [])).toBe(
    "Go to [link removed], not to https://good.example.",
  );
});

test("one that only a reader of JSON finds is refused where others would be replaced", async () => {
  const verdict = await inspect({ deny: ["evil.example"], action: "redact" }, '"https:\\u002f\\u002fevil.example"');
  expect(verdict.type).toBe("deny");
});

test("the refusal tells how many are bad and why, and none of them", async () => {
  const verdict = await inspect(
    { allow: ["good.example"] },
    "https://good.example https://evil.example/secret ftp://x.y",
  );
  expect(verdict).toEqual({
    type: "deny",
    reason: "The request holds URLs that are not permitted here.",
    detail: "2 of 3 URLs: not allowed",
    assessment: { urls: 3, badUrls: 2, faults: { "not allowed": 2 } },
  });
});

test("a streamed answer is left as the whole one would be, however it is cut", async () => {
  const config = { allow: ["good.example"], schemes: ["https"], action: "redact", longestUrl: 128 };
  const long = `https://good.example/${"path/".repeat(20)}`;
  const text = `See ${long}, https://evil.example/${"path/".repeat(18)} and (https://good.example/a.b). ${"Words. ".repeat(20)} ${long} www.evil.example ${long}.`;
  const whole = await inspect(config, text);
  const expected = edited(text, whole.type === "rewrite" ? whole.edits : []);
  expect(expected.split("[link removed]")).toHaveLength(3);
  await fc.assert(
    fc.asyncProperty(cutsOf(text), async (frames) => {
      const { passed, error } = await collect(frames, [attach(compile(config))]);
      expect([textOf(passed), error]).toEqual([expected, undefined]);
    }),
    { numRuns: 100 },
  );
});

describe("a check of names", () => {
  test("finds hosts without a public address bad", async () => {
    const asked: string[] = [];
    const resolves = async (host: string): Promise<boolean> => {
      asked.push(host);
      return host === "good.example";
    };
    const guardrail = compile({ check: "dns", deny: ["denied.example"] }, { resolves });
    const judge = async (text: string) => (await guardrail.inspect(spans(text), "request", guardedCall())).type;
    expect(await judge("https://good.example/a https://good.example/b")).toBe("pass");
    expect(await judge("https://gone.example")).toBe("deny");
    expect(await judge("https://denied.example ftp://other.example")).toBe("deny");
    expect(asked.filter((host) => host === "denied.example")).toEqual([]);
    expect(asked).not.toContain("other.example");
  });

  test("asks again after a minute, not before", async () => {
    const tools = buildTools();
    let asked = 0;
    const resolves = async (): Promise<boolean> => {
      asked += 1;
      return true;
    };
    const guardrail = url.compile(url.config.parse({ check: "dns" }), { ...tools, resolves });
    for (const [waitMs, times] of [
      [0, 1],
      [59_000, 1],
      [2_000, 2],
    ] as const) {
      tools.clock.advance(waitMs);
      await guardrail.inspect(spans("https://a.example"), "request", guardedCall());
      expect(asked).toBe(times);
    }
  });

  test("gives up after the time that it has in all", async () => {
    const tools = buildTools();
    const guardrail = url.compile(url.config.parse({ check: "dns", timeoutMs: 500 }), {
      ...tools,
      resolves: () => new Promise(() => {}),
    });
    const urls = Array.from({ length: 20 }, (_, index) => `https://${index}.example`).join(" ");
    const verdict = guardrail.inspect(spans(urls), "request", guardedCall());
    tools.clock.advance(500);
    expect(await verdict).toMatchObject({ type: "deny", assessment: { badUrls: 20 } });
  });
});

describe("a check by requests", () => {
  test("takes any answer but 404, 410 and 5xx for a sign that something is there, and sends no query", async () => {
    await using server = await startMockUpstream(({ url: path }, response) => {
      const status = Number(path.slice(1, 4));
      response.writeHead(status, status === 302 ? { location: "/404" } : {}).end();
    });
    await using fetch = reaching(["127.0.0.1/32"]);
    const guardrail = compile({ check: "head" }, { fetch });
    const there: number[] = [];
    for (const status of [200, 204, 302, 401, 403, 404, 405, 410, 429, 500, 503]) {
      const text = `${server.url}/${status}?secret=1`;
      const verdict = await guardrail.inspect(spans(text), "request", guardedCall());
      if (verdict.type === "pass") there.push(status);
    }
    expect(there).toEqual([200, 204, 401, 403, 405, 429]);
    expect(server.seen.every(({ method, url: path }) => method === "HEAD" && !path.includes("secret"))).toBe(true);
  });

  test("sends nothing to where it must not, by any spelling, redirect or name", async () => {
    await using inside = await startMockUpstream();
    await using outside = await startMockUpstream((_, response) => {
      response.writeHead(302, { location: `http://127.0.0.2:${inside.port}/` }).end();
    });
    const policy = createNetworkPolicy({ allowCidrs: ["127.0.0.1/32"], operatorReach: ["loopback", "private"] });
    const resolve = async () => [{ address: "127.0.0.2", family: 4 }];
    await using fetch = createSafeFetch({ policy, resolve });
    const guardrail = compile({ check: "head" }, { fetch, resolves: createHostCheck(policy, resolve) });
    const { port } = inside;
    const urls = [
      `${outside.url}/redirect`,
      `http://127.0.0.2:${port}/`,
      `http://2130706434:${port}/`,
      `http://0x7f.0.0.2:${port}/`,
      `http://[::ffff:127.0.0.2]:${port}/`,
      `http://a:b@127.0.0.2:${port}/`,
      `http://rebinding.example:${port}/`,
      `http://rebinding.example.:${port}/`,
    ];
    const judged: string[] = [];
    for (const text of urls) {
      const verdict = await guardrail.inspect(spans(text), "response", guardedCall());
      if (verdict.type === "deny") judged.push(text);
    }
    expect(judged).toEqual(urls);
    expect(inside.seen).toEqual([]);
    expect(outside.seen).toHaveLength(1);
  });

  test("ends with the call that it is for", async () => {
    await using server = await startMockUpstream(() => {});
    await using fetch = reaching(["127.0.0.1/32"]);
    const guardrail = compile({ check: "head" }, { fetch });
    const abort = new AbortController();
    const verdict = guardrail.inspect(spans(server.url), "request", guardedCall({ signal: abort.signal }));
    abort.abort();
    await expect(verdict).rejects.toThrow();
  });
});

test.each([{ allow: [] }, { allow: ["https://"] }, { allow: ["a b"] }, { schemes: ["HTTPS:"] }, { longestUrl: 10 }])(
  "the configuration %j is refused",
  (config) => {
    expect(url.config.safeParse(config).success).toBe(false);
  },
);

function reaching(allowCidrs: readonly string[]) {
  return createSafeFetch({ policy: createNetworkPolicy({ allowCidrs, operatorReach: [] }) });
}

function compile(config: object, more: Partial<PluginTools> = {}) {
  return url.compile(url.config.parse(config), { ...buildTools(), ...more });
}

function spans(text: string) {
  return [{ place: "text", text, author: "user" as const }];
}

async function inspect(config: object, text: string) {
  return compile(config).inspect(spans(text), "request", guardedCall());
}
