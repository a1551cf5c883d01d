import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { queryAnalytics } from "../../src/cli/analytics-query.ts";
import { askAnalytics, printQuestions } from "../../src/cli/ask-analytics.ts";
import { explain } from "../../src/cli/explain.ts";
import { testShell } from "../cli/test-shell.ts";
import { describeWithEngine } from "../kit/embedded-clickhouse.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";

const chatBody = JSON.stringify({ model: "m", messages: [{ role: "user", content: "canary-in-a-prompt" }] });

/** Sends one chat with that key, and answers its id when its row is in the store. */
async function recorded({ running }: TestGatehouse, url: string, key: string): Promise<string> {
  const response = await fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: chatBody,
  });
  await response.arrayBuffer();
  await running.spool.flush();
  await running.analytics.catchUp();
  return response.headers.get("x-request-id") ?? "";
}

describeWithEngine("what commands tell of recorded requests", () => {
  test("a request is explained, and found by a statement; one that was refused says where", async () => {
    await using upstream = await startMockUpstream();
    await using gatehouse = await startTestGatehouse({ "analytics.mode": "embedded" });
    const api = await gatehouse.llm("chat", `${upstream.url}/v1`);
    const { controlUrl, adminToken: token } = gatehouse.running;
    const run = async (command: (shell: ReturnType<typeof testShell>) => Promise<void>) => {
      const shell = testShell({ cwd: tmpdir() });
      await command(shell);
      return shell.lines.join("\n");
    };

    const good = await recorded(gatehouse, api.url, api.key);
    const story = await run((shell) => explain(good, { controlUrl, token }, shell));
    expect(story).toContain(`Exchange ${good}`);
    expect(story).toMatch(/ {2}call +passed +One try\./);
    expect(story).not.toContain("not kept");
    expect(story).not.toContain("canary-in-a-prompt");

    const bad = await recorded(gatehouse, api.url, `${api.key}x`);
    const refusal = await run((shell) => explain(bad, { controlUrl, token }, shell));
    expect(refusal).toMatch(/ {2}identify +denied +Refused by .*auth\.invalid_credentials/);
    expect(refusal).toMatch(/ {2}call +not reached/);

    const statement = "SELECT outcome, count() AS n FROM exchanges GROUP BY outcome ORDER BY outcome";
    const table = await run((shell) => queryAnalytics(statement, { format: "table", controlUrl, token }, shell));
    expect(table).toBe("outcome  n\ndenied   1\nok       1");
    const out = join(gatehouse.dataDir, "rows.parquet");
    await run((shell) => queryAnalytics(statement, { format: "parquet", out, controlUrl, token }, shell));
    expect((await readFile(out)).subarray(0, 4).toString("latin1")).toBe("PAR1");
    const again = run((shell) => queryAnalytics(statement, { format: "csv", out, controlUrl, token }, shell));
    await expect(again).rejects.toMatchObject({ code: "request.invalid" });
    const escape = run((shell) =>
      queryAnalytics("SELECT file('/etc/hostname')", { format: "json", controlUrl, token }, shell),
    );
    await expect(escape).rejects.toMatchObject({ message: expect.stringContaining("file is not allowed") });

    const ask = (question: string, parameters: readonly string[], format = "table") =>
      run((shell) => askAnalytics(question, parameters, { format, controlUrl, token }, shell));
    expect(await run((shell) => printQuestions({ controlUrl, token }, shell))).toMatch(/^error-kinds +Errors by kind/m);
    expect(await ask("error-kinds", ["granularity=day"])).toMatch(/^\S+T00:00:00.000Z +auth +1 /m);
    expect(await ask("top-consumers", ["by=key"], "csv")).toMatch(/^"consumer","requests"/);
    expect(await ask("sessions", [])).toBe("nothing in this range");
    await expect(ask("sessions", ["limit"])).rejects.toThrow("name=value");
    await expect(ask("../audit", [])).rejects.toThrow("no such question");
    await expect(ask("sessions", ["limit=0"])).rejects.toThrow("limit");
  }, 120_000);
});
