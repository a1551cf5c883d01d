import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { statusSchema } from "../../src/control/status-routes.ts";
import { openControlPlane } from "./control-plane.ts";

const anonymous = { authorization: null };

describe("the page", () => {
  test("tells what the port is and leads to the documentation, with no script and nothing from elsewhere", async () => {
    await using plane = await openControlPlane();
    const { status, headers, text } = await plane.send("GET", "/", undefined, anonymous);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(text).toContain("control plane");
    expect(text).toContain('href="/api/v1/openapi.json"');
    expect(text).not.toMatch(/<script|src=|https:/);
    const style = /<style>(.*?)<\/style>/s.exec(text)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    expect(headers.get("content-security-policy")).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
  });

  test("escapes what comes from the configuration", async () => {
    await using plane = await openControlPlane({ version: `<img src=x onerror="alert('x')">&` });
    const { text } = await plane.send("GET", "/", undefined, anonymous);
    expect(text).not.toContain("<img");
    expect(text).toContain("&#60;img src=x onerror=&#34;alert(&#39;x&#39;)&#34;&#62;&#38;");
  });
});

describe("the probes", () => {
  test("readiness follows the installation, liveness does not", async () => {
    let ready = false;
    await using plane = await openControlPlane({ ready: () => ready });
    const before = await plane.send("GET", "/readyz", undefined, anonymous);
    expect(before).toMatchObject({ status: 503, body: { code: "server.not_ready" } });
    expect(before.headers.get("retry-after")).toBe("1");
    expect((await plane.send("GET", "/livez", undefined, anonymous)).status).toBe(200);
    ready = true;
    expect((await plane.send("GET", "/readyz", undefined, anonymous)).body).toEqual({ status: "ok" });
    expect(plane.logged.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("the status", () => {
  test("names the live configuration by the hash that publishing answers", async () => {
    await using plane = await openControlPlane();
    const before = statusSchema.parse((await plane.send("GET", "/api/v1/status")).body);
    expect(before).toMatchObject({ version: "1.2.3", ready: true, servedKinds: ["LlmApi"] });
    const spec = {
      context: "/notes",
      upstream: { production: { url: "http://127.0.0.1:1/mcp" }, sandbox: { sameAs: "production" } },
    };
    await plane.send("POST", "/api/v1/mcp-servers", { metadata: { name: "notes" }, spec });
    expect((await plane.send("GET", "/api/v1/status")).body.configHash).toBe(before.configHash);
    const published = await plane.send("POST", "/api/v1/mcp-servers/notes/publish");
    expect(published.body.configHash).not.toBe(before.configHash);
    expect((await plane.send("GET", "/api/v1/status")).body.configHash).toBe(published.body.configHash);
  });
});
