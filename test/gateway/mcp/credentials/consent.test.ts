import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createBrowser } from "../../../identity/resident/browser.ts";
import { rpcOf } from "../published-server.ts";
import type { ConsentKit } from "./consent-kit.ts";
import { linkIn, serverSpec, startConsentKit, used } from "./consent-kit.ts";

let kit: ConsentKit;

beforeAll(async () => {
  kit = await startConsentKit();
});

afterAll(() => kit[Symbol.asyncDispose]());

beforeEach(() => kit.reset());

describe("a caller without an account at the upstream", () => {
  test("is told the page, consents on it, and the next call works, with a token that is meant for the upstream", async () => {
    const token = await kit.tokenOf("ada");
    const first = await kit.call(token);
    expect(first.result).toMatchObject({ isError: true });
    const page = await kit.consent("ada", linkIn(first));
    expect([page.status, page.html.includes("Connected")]).toEqual([200, true]);
    expect(await kit.call(token)).toMatchObject(used);
    expect(Object.fromEntries(kit.upstream.authorizations[0] ?? [])).toMatchObject({
      resource: kit.upstream.url,
      scope: "tools:read",
      code_challenge_method: "S256",
    });
    expect(kit.upstream.tokenRequests).toMatchObject([
      { resource: kit.upstream.url, grant_type: "authorization_code" },
    ]);
    expect(kit.upstream.registrations).toMatchObject([
      { application_type: "native", redirect_uris: [`${kit.at.issuer}/connected`] },
    ]);
  });

  test("gets an error that names the page to what is no tool", async () => {
    const answer = await kit.send(await kit.tokenOf("ada"), "tools/list");
    expect([answer.status, answer.headers["www-authenticate"]]).toEqual([403, undefined]);
    const { error } = rpcOf(answer);
    expect([error?.code, error?.data?.["code"]]).toEqual([1_403, "auth.consent_needed"]);
    expect(error?.data?.["url"]).toBe(linkIn(error?.message));
  });

  test("is asked to open the page where the client can do that, and goes on in the same call", async () => {
    const token = await kit.tokenOf("ada");
    const capabilities = { elicitation: { url: {} } };
    const asked = await kit.call(token, {}, capabilities);
    const { resultType, requestState, inputRequests } = asked.result ?? {};
    expect([resultType, typeof requestState]).toEqual(["input_required", "string"]);
    expect(inputRequests).toMatchObject({ consent: { method: "elicitation/create", params: { mode: "url" } } });
    const retry = { requestState, inputResponses: { consent: { action: "accept" } } };
    const waiting = kit.call(token, retry, capabilities);
    await kit.consent("ada", linkIn(inputRequests));
    expect(await waiting).toMatchObject(used);
    expect(kit.upstream.seen.at(-1)?.authorization).toMatch(/^Bearer upstream-token-/);
  });

  test("who declines is told no more than that", async () => {
    const token = await kit.tokenOf("ada");
    const capabilities = { elicitation: { url: {} } };
    const { requestState } = (await kit.call(token, {}, capabilities)).result ?? {};
    const declined = await kit.call(
      token,
      { requestState, inputResponses: { consent: { action: "decline" } } },
      capabilities,
    );
    expect(declined.result).toMatchObject({ isError: true });
    expect(JSON.stringify(declined)).not.toContain("/auth/connect");
  });
});

describe("the consent page", () => {
  test("says who, where, for whom and what, escaped, in no frame, and cannot be posted from elsewhere", async () => {
    const link = linkIn(await kit.call(await kit.tokenOf("ada", "Agent <i>x</i>")));
    const { browser, seen } = await kit.open("ada", link);
    for (const text of [
      "Ada L.",
      new URL(kit.upstream.url).host,
      kit.upstream.issuer,
      "tools:read",
      "Tools &#60;b&#62;",
    ]) {
      expect(seen.html).toContain(text);
    }
    expect(seen.html).not.toMatch(/<(script|i|b|img)\b/);
    expect(seen.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(seen.headers.get("content-security-policy")).toContain(`form-action 'self' ${kit.upstream.issuer}`);
    expect(seen.headers.get("x-frame-options")).toBe("DENY");
    const forged = await browser.submit(seen, "allow", { csrf: "x".repeat(43) });
    expect([forged.status, forged.redirect, kit.upstream.registrations.length]).toEqual([403, undefined, 0]);
  });

  test("lets in nobody but the one for whom the link was made", async () => {
    const link = linkIn(await kit.call(await kit.tokenOf("ada")));
    const { seen } = await kit.open("bob", link);
    expect([seen.status, seen.html.includes("somebody else"), seen.html.includes('value="allow"')]).toEqual([
      403,
      true,
      false,
    ]);
    expect(await kit.call(await kit.tokenOf("bob"))).toMatchObject({ result: { isError: true } });
  });

  test.each([
    { name: "an altered ticket", change: (link: string) => link.slice(0, -4) },
    { name: "no ticket of ours", change: (link: string) => link.replace(/ticket=.*/, "ticket=abc.def") },
    { name: "another server's name", change: (link: string) => link.replace("/connect/tools", "/connect/other") },
  ])("shows nothing for $name", async ({ change }) => {
    const link = linkIn(await kit.call(await kit.tokenOf("ada")));
    expect((await kit.open("ada", change(link))).seen.status).toBe(404);
  });

  test("is asked again for another client of the same person, without another turn at the upstream", async () => {
    await kit.consent("ada", linkIn(await kit.call(await kit.tokenOf("ada", "first"))));
    const second = await kit.tokenOf("ada", "second");
    const asked = await kit.call(second);
    expect(asked.result).toMatchObject({ isError: true });
    const { browser, seen } = await kit.open("ada", linkIn(asked));
    const page = await browser.submit(seen, "allow");
    expect([page.html.includes("Connected"), kit.upstream.authorizations.length]).toEqual([true, 1]);
    expect(await kit.call(second)).toMatchObject(used);
  });

  test("also works for who comes to it by themselves", async () => {
    const page = await kit.consent("ada", `${kit.at.issuer}/connect/tools`);
    expect(page.html).toContain("Connected");
  });
});

describe("the answer of the upstream's authorization server", () => {
  test("is good once, in the browser that has begun, with its state and its issuer", async () => {
    const link = linkIn(await kit.call(await kit.tokenOf("ada")));
    const { browser, seen } = await kit.open("ada", link);
    const sent = await browser.submit(seen, "allow");
    const answer = await fetch(sent.redirect ?? "", { redirect: "manual" });
    const back = answer.headers.get("location") ?? "";
    const changed = (name: string, value: string): string => {
      const url = new URL(back);
      url.searchParams.set(name, value);
      return url.href;
    };
    expect((await createBrowser(new URL(back).origin).open(back)).status).toBe(403);
    expect((await (await kit.open("bob", `${kit.at.issuer}/connect/tools`)).browser.open(back)).status).toBe(403);
    const kept = new Map(browser.cookies);
    const again = (): void => {
      for (const [name, cookie] of kept) browser.cookies.set(name, cookie);
    };
    expect((await browser.open(changed("state", "another"))).status).toBe(403);
    again();
    expect((await browser.open(`${back}&iss=https://evil.example.com`)).status).toBe(403);
    expect(kit.upstream.tokenRequests).toEqual([]);
    const second = await browser.submit((await kit.open("ada", link, browser)).seen, "allow");
    const good = (await fetch(second.redirect ?? "", { redirect: "manual" })).headers.get("location") ?? "";
    const cookies = new Map(browser.cookies);
    expect((await browser.open(good)).status).toBe(200);
    for (const [name, cookie] of cookies) browser.cookies.set(name, cookie);
    expect((await browser.open(good)).status).toBe(403);
    expect(kit.upstream.tokenRequests).toHaveLength(1);
  });

  test.each(["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "http://user:pass@127.0.0.1/authorize"])(
    "is never asked for at %s",
    async (authorization_endpoint) => {
      kit.upstream.behaviour.metadata = { authorization_endpoint };
      const link = linkIn(await kit.call(await kit.tokenOf("ada")));
      const { seen } = await kit.open("ada", link);
      expect([seen.status, seen.html.includes('value="allow"')]).toEqual([502, false]);
    },
  );

  test.each([
    { name: "PKCE is not offered", metadata: { code_challenge_methods_supported: ["plain"] } },
    { name: "PKCE is not spoken of", metadata: { code_challenge_methods_supported: undefined } },
    { name: "the metadata is another issuer's", metadata: { issuer: "http://127.0.0.1:1" } },
  ])("is not asked for where $name", async ({ metadata }) => {
    kit.upstream.behaviour.metadata = metadata;
    const { seen } = await kit.open("ada", linkIn(await kit.call(await kit.tokenOf("ada"))));
    expect([seen.status, kit.upstream.authorizations.length]).toEqual([502, 0]);
  });
});

describe("tokens in the vault", () => {
  test("go to no other server: not after the API's address has changed, and not when the resource is another's", async () => {
    const token = await kit.tokenOf("ada");
    await kit.consent("ada", linkIn(await kit.call(token)));
    const elsewhere = kit.upstream.url.replace("127.0.0.1", "localhost");
    await kit.at.gatehouse.put("McpServer", "tools", serverSpec(elsewhere));
    kit.upstream.seen.splice(0);
    await kit.call(token);
    expect(kit.upstream.seen.map(({ authorization }) => authorization)).not.toContainEqual(
      expect.stringContaining("upstream-token"),
    );
  });

  test("and the caller's own token are in no log line, row, answer or file, and neither crosses over", async () => {
    const token = await kit.tokenOf("ada");
    const first = await kit.call(token);
    await kit.consent("ada", linkIn(first));
    const good = await kit.send(token, "tools/call", { name: "look", arguments: {} });
    kit.upstream.behaviour.needs = ["tools:write"];
    const bad = await kit.send(token, "tools/call", { name: "look", arguments: {} });
    const [upstreamToken = ""] = kit.upstream.tokens.keys();
    const [refreshToken = ""] = kit.upstream.refreshTokens.keys();
    expect(JSON.stringify(kit.upstream.seen)).not.toContain(token);
    const { gatehouse } = kit.at;
    const logged = JSON.stringify(gatehouse.log.lines, (_key, value: unknown) =>
      value instanceof Error ? String(value.stack) : value,
    );
    const told =
      [first, good, bad].map((answer) => JSON.stringify(answer)).join("") +
      logged +
      JSON.stringify(await gatehouse.events());
    for (const secret of [upstreamToken, refreshToken])
      expect([secret.length > 20, told.includes(secret)]).toEqual([true, false]);
    expect(logged + JSON.stringify(await gatehouse.events())).not.toContain(token);
    const entries = await readdir(gatehouse.dataDir, { withFileTypes: true, recursive: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of files) {
      const bytes = await readFile(file);
      expect([file, bytes.includes(upstreamToken), bytes.includes(refreshToken), bytes.includes(token)]).toEqual([
        file,
        false,
        false,
        false,
      ]);
    }
  });
});
