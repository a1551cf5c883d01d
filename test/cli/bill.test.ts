import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { CostRow } from "../../src/analytics/cost-answers.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "gatehouse-bill-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
});

const row = (day: string, group: string, over: Partial<CostRow> = {}): CostRow => ({
  at: `${day}T00:00:00.000Z`,
  group,
  name: null,
  currency: "USD",
  cost: "0.5",
  estimated: "0",
  tries: 3,
  unknown: 0,
  inputTokens: 1_000,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 200,
  reasoningTokens: 0,
  ...over,
});

/** A control API that has only these costs, one on a page; what it was asked. */
async function serveCosts(rows: readonly CostRow[]) {
  const asked: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "/", "http://localhost");
    asked.push(searchParams);
    const at = Number(searchParams.get("cursor") ?? 0);
    const next = at + 1 < rows.length ? { next: String(at + 1) } : {};
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ items: rows.slice(at, at + 1), ...next }));
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }; // a TCP server has one
}

interface Reconciled extends CommandResult {
  readonly asked: readonly URLSearchParams[];
}

async function reconcile(rows: readonly CostRow[], csv: string, ...more: string[]): Promise<Reconciled> {
  await writeFile(join(directory, "usage.csv"), csv);
  const { asked, url } = await serveCosts(rows);
  const args = ["--provider", "openai", "--file", "usage.csv", "--control-url", url, "--token", "t", ...more];
  return { ...(await command(["bill", "reconcile", ...args], { cwd: directory })), asked };
}

const openai = `start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,model,input_tokens,output_tokens,input_cached_tokens
1768435200,1768521600,2026-01-15T00:00:00+00:00,2026-01-16T00:00:00+00:00,p,2,gpt-4o-2024-08-06,900,150,0
1768435200,1768521600,2026-01-15T00:00:00+00:00,2026-01-16T00:00:00+00:00,q,1,gpt-4o-2024-08-06,100,50,0
1768521600,1768608000,2026-01-16T00:00:00+00:00,2026-01-17T00:00:00+00:00,,,,,,
`;

describe("a bill that agrees", () => {
  test("with OpenAI's export, whose lines are added up by day and model, dated or not", async () => {
    const { code, out, asked } = await reconcile([row("2026-01-15", "gpt-4o")], openai);
    expect(code).toBe(0);
    expect(out[1]).toMatch(/^2026-01-15 +gpt-4o +1000\/200 +1000\/200 +0 +0\.500000 +- +-$/);
    expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({
      groupBy: "model",
      granularity: "day",
      provider: "openai",
      from: "2026-01-15T00:00:00Z",
      to: "2026-01-16T00:00:00Z",
    });
  });

  test("with Anthropic's export, in which cached tokens stand beside the others", async () => {
    const csv = `usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count
2026-01-15,claude-sonnet-4-20250514,k,Default,standard,≤ 200k,400,100,200,300,200,0
`;
    const { code, out } = await reconcile([row("2026-01-15", "claude-sonnet-4")], csv);
    expect([code, out[1]]).toEqual([0, expect.stringContaining("1000/200")]);
  });

  test("with any other, by the columns that are named, with its money", async () => {
    const csv = 'Day;no\n"ignored"';
    const other = `when,name,tokens in,cached,out,usd\n1768478400,gpt-4o,600,400,200,0.4999999999999999\n`;
    const columns = ["--column", "day=when", "model=name", "input=tokens in+cached", "output=out", "cost=usd"];
    const { code, out } = await reconcile([row("2026-01-15", "gpt-4o")], other, ...columns);
    expect(out[1]).toMatch(/ 0\.500000 +0\.500000 +0\.000000$/);
    expect(code).toBe(0);
    expect((await reconcile([], csv, ...columns)).code).toBe(1);
  });
});

describe("a bill that does not agree", () => {
  const columns = ["--column", "day=day", "model=model", "input=in", "output=out", "cost=cost"];
  const head = "day,model,in,out,cost\n";

  test("is told by line, and the command fails", async () => {
    const rows = [
      row("2026-01-15", "alone-here"),
      row("2026-01-15", "dear", { cost: "0.51" }),
      row("2026-01-15", "guessed", { estimated: "0.1" }),
      row("2026-01-15", "long", { inputTokens: 1_100 }),
      row("2026-01-15", "new", { cost: null, currency: null, unknown: 3 }),
    ];
    const csv = ["alone-there", "dear", "guessed", "long", "new"].map((name) => `2026-01-15,${name},1000,200,0.5\n`);
    const { code, out, notes } = await reconcile(rows, head + csv.join(""), ...columns, "--json");
    const lines = JSON.parse(out.join("\n")) as { model: string; flags: string[] }[]; // as the command prints it
    expect(Object.fromEntries(lines.map(({ model, flags }) => [model, flags]))).toEqual({
      "alone-here": ["only-here", "tokens", "cost"],
      "alone-there": ["only-there", "tokens", "cost"],
      dear: ["cost"],
      guessed: ["estimated"],
      long: ["tokens"],
      new: ["unpriced"],
    });
    expect(lines[1]).toMatchObject({ model: "alone-there", difference: { tokens: -1_200, cost: "-0.500000" } });
    expect([code, notes]).toEqual([1, expect.stringContaining("5 of 6 lines do not agree within 1 %")]);
  });

  test.each([
    ["1", 1],
    ["2", 0],
  ])("with a tolerance of %s %% ends with %i", async (tolerance, code) => {
    const csv = `${head}2026-01-15,dear,1000,200,0.505\n`;
    const rows = [row("2026-01-15", "dear", { cost: "0.499" })];
    expect((await reconcile(rows, csv, ...columns, "--tolerance", tolerance)).code).toBe(code);
  });

  test("in another currency has no price here", async () => {
    const csv = `${head}2026-01-15,dear,1000,200,0.5\n`;
    const rows = [row("2026-01-15", "dear", { currency: "EUR" })];
    expect((await reconcile(rows, csv, ...columns)).out[1]).toContain("unpriced");
    expect((await reconcile(rows, csv, ...columns, "--currency", "EUR")).code).toBe(0);
  });
});

describe("a file that is no such export", () => {
  const head = "start_time_iso,model,input_tokens,output_tokens\n";
  const line = "2026-01-15T00:00:00Z,m,1,1\n";
  test.each([
    ["without lines", "", /holds no use/],
    ["of something else", "a,b\n1,2\n", /name the columns.* of: a, b/],
    ["that lacks a column", "start_time_iso,model,input_tokens\n2026-01-15,m,1\n", /no column `output_tokens`/],
    [
      "with a negative count",
      `${head}${line}2026-01-15T00:00:00Z,m,-1,1\n`,
      /line 3: `input_tokens` is no count of tokens: "-1"/,
    ],
    ["with half a token", `${head}2026-01-15T00:00:00Z,m,0.5,1\n`, /line 2: `input_tokens`/],
    ["with a huge count", `${head}2026-01-15T00:00:00Z,m,${"9".repeat(19)},1\n`, /line 2: `input_tokens`/],
    ["with no date", `${head}yesterday,m,1,1\n`, /line 2: `start_time_iso` is no date: "yesterday"/],
    ["with tokens of no model", `${head}2026-01-15T00:00:00Z,,1,1\n`, /line 2: `model` is empty/],
    ["with a field too many", `${head}${line}2026-01-15T00:00:00Z,m,1,1,1\n`, /line 3/],
    ["with a quote that never ends", `${head}"2026-01-15`, /line 2|Quote/],
  ])("%s is refused, by its line", async (_name, csv, message) => {
    const { code, notes } = await reconcile([], csv);
    expect([code, notes]).toEqual([1, expect.stringMatching(message)]);
  });

  test("that is not there is refused", async () => {
    const args = ["bill", "reconcile", "--provider", "p", "--file", "none.csv", "--token", "t"];
    const { code, notes } = await command(args, { cwd: directory });
    expect([code, notes]).toEqual([1, expect.stringContaining("ENOENT")]);
  });

  test.each([
    ["--column", "colour=red"],
    ["--tolerance", "lots"],
  ])("%s %s is refused", async (...more) => {
    expect((await reconcile([], openai, ...more)).code).toBe(1);
  });
});

test("an export of 200,000 lines is added up", async () => {
  const lines = Array.from({ length: 2_000 }, (_, index) => `2026-01-15T00:00:00Z,m${index % 10},1,1\n`).join("");
  const csv = `start_time_iso,model,input_tokens,output_tokens\n${lines.repeat(100)}`;
  const { out } = await reconcile([], csv, "--json");
  expect(JSON.parse(out.join("\n"))).toHaveLength(10);
});

test("costs are printed as a table or as JSON, of what was asked for", async () => {
  const { asked, url } = await serveCosts([row("2026-01-15", "gpt-4o"), row("2026-01-15", "new", { cost: null })]);
  const args = ["bill", "list", "--by", "model", "--step", "day", "--provider", "openai", "--control-url", url];
  const { code, out } = await command([...args, "--token", "t"], { cwd: directory });
  expect(code).toBe(0);
  expect(out[0]).toMatch(/^FROM +MODEL +COST +CURRENCY +ESTIMATED +CALLS +UNPRICED +IN +OUT$/);
  expect(out[1]).toMatch(/gpt-4o +0\.5 +USD +0 +3 +0 +1000 +200$/);
  expect(out[2]).toMatch(/new +- +USD/);
  expect(asked[0]?.get("granularity")).toBe("day");
  const { out: json } = await command([...args, "--token", "t", "--json"], { cwd: directory });
  expect(JSON.parse(json.join("\n"))).toHaveLength(2);
});
