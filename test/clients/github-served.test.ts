import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { publishTools, toolNames } from "../gateway/mcp/openapi/openapi-kit.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import { json, startMockUpstream } from "../kit/mock-upstream.ts";
import { connectClient } from "../quickstart/mcp-client.ts";
import { clientFile, clientsAreInstalled } from "./install-clients.ts";

describe.skipIf(!clientsAreInstalled())("GitHub's whole description, served", () => {
  test("is fetched at publish, listed page by page, and two of its tools are called", async () => {
    const text = readFileSync(clientFile("@octokit/openapi/generated/api.github.com.json"), "utf8");
    await using site = await startMockUpstream((_, response) => void response.writeHead(200).end(text));
    await using api = await startMockUpstream(json(200, { name: "main" }));
    await using gatehouse = await startTestGatehouse();
    const { url, key } = await publishTools(gatehouse, "github", {
      url: `${site.url}/api.github.com.json`,
      select: ["*"],
      output: "any",
      production: { url: api.url },
      sandbox: { sameAs: "production" },
    });
    await using connected = await connectClient(url, { authorization: `Bearer ${key}` }, { pin: "2026-07-28" });
    const names: string[] = [];
    let pages = 0;
    let cursor: string | undefined;
    do {
      const page = await connected.client.request({
        method: "tools/list",
        params: cursor === undefined ? {} : { cursor },
      });
      names.push(...toolNames(page));
      cursor = page.nextCursor;
      pages += 1;
    } while (cursor !== undefined);
    expect(names.length).toBeGreaterThan(1_000);
    expect(new Set(names).size).toBe(names.length);
    expect(pages).toBe(Math.ceil(names.length / 250));

    const branch = { owner: "o", repo: "r", branch: "main" };
    const found = await connected.client.callTool({ name: "repos_get-branch", arguments: branch });
    expect(found.content).toEqual([{ type: "text", text: '{"name":"main"}' }]);
    expect(api.seen.at(-1)?.url).toBe("/repos/o/r/branches/main");
    await connected.client.callTool({ name: "issues_create", arguments: { owner: "o", repo: "r", title: "A bug" } });
    expect([api.seen.at(-1)?.method, api.seen.at(-1)?.url]).toEqual(["POST", "/repos/o/r/issues"]);
    expect(JSON.parse(String(api.seen.at(-1)?.body))).toEqual({ title: "A bug" });
  });
});
