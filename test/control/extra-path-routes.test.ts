import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { extraPathIssue } from "../../src/core/extra-path.ts";
import { openControlPlane } from "./control-plane.ts";

const extraPaths = { "/docs": "https://docs.example.com/gatehouse", "/console/*": "https://console.example.com/ui/" };
const none = { authorization: null };

describe("an extra path", () => {
  test.each([
    { path: "/docs", location: "https://docs.example.com/gatehouse" },
    { path: "/docs?x=1", location: "https://docs.example.com/gatehouse" },
    { path: "/console", location: "https://console.example.com/ui/" },
    { path: "/console/a/b.html", location: "https://console.example.com/ui/a/b.html" },
    { path: "/console/@evil.com", location: "https://console.example.com/ui/@evil.com" },
  ])("$path leads elsewhere, without a token", async ({ path, location }) => {
    await using plane = await openControlPlane({ extraPaths });
    const answer = await plane.send("GET", path, undefined, none);
    expect({ status: answer.status, location: answer.headers.get("location") }).toEqual({ status: 302, location });
  });

  test.each(["/docs/", "/docs/a", "/docsx", "/xdocs", "/Docs", "/consolex", "/console//evil.com", "/console/%2e%2e/x"])(
    "%s is none",
    async (path) => {
      await using plane = await openControlPlane({ extraPaths });
      expect((await plane.send("GET", `http://localhost${path}`, undefined, none)).status).toBe(404);
    },
  );

  test("takes GET only, and opens nothing beside itself", async () => {
    await using plane = await openControlPlane({ extraPaths });
    expect((await plane.send("POST", "/docs", {}, none)).status).toBe(405);
    expect((await plane.send("GET", "/api/v1/teams", undefined, none)).status).toBe(401);
    expect((await plane.send("GET", "/docs", undefined, { ...none, host: "evil.com" })).status).toBe(403);
  });
});

describe("an entry that is refused", () => {
  test.each([
    "docs",
    "/",
    "/*",
    "*",
    "/docs*",
    "/docs/**",
    "/docs/*/x",
    "/docs/",
    "//docs",
    "/docs/../api",
    "/./docs",
    "/do.cs|x",
    "^/docs$",
    "/docs.*",
    "/docs/:name",
    "/docs/{name}",
    "/docs%2f",
    "/docs;x",
    "/docs?x",
    "/api/*",
    "/API/v2",
    "/api",
    "/livez",
    "/readyz/*",
    "/auth/*",
    `/${"a".repeat(201)}`,
  ])("%s", (path) => {
    expect(extraPathIssue(path)).toBeDefined();
    const env = { GATEHOUSE_CONTROL_EXTRA_PATHS: JSON.stringify({ [path]: "https://x.example/" }) };
    expect(() => loadConfig({ flags: {}, env, cwd: "/nowhere" })).toThrow();
  });

  test.each([
    "javascript:alert(1)",
    "file:///etc/passwd",
    "//evil.com",
    "/local",
    "https://a:b@x.example/",
    "https://x.example",
  ])("an address such as %s", (address) => {
    const env = { GATEHOUSE_CONTROL_EXTRA_PATHS: JSON.stringify({ "/docs/*": address }) };
    expect(() => loadConfig({ flags: {}, env, cwd: "/nowhere" })).toThrow();
  });

  test("a right one is taken from the variable", () => {
    const env = { GATEHOUSE_CONTROL_EXTRA_PATHS: JSON.stringify(extraPaths) };
    expect(loadConfig({ flags: {}, env, cwd: "/nowhere" }).control.extraPaths).toEqual(extraPaths);
  });
});
