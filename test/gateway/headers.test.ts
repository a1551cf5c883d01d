import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeApiKey } from "../../src/core/api-key-format.ts";
import { answerHeaders, forwardableHeaders } from "../../src/gateway/headers.ts";

describe("a client's headers", () => {
  test.each([
    "Authorization",
    "Cookie",
    "Proxy-Authorization",
    "X-Api-Key",
    "X_API_KEY",
    "Api-Key",
    "X-Auth-Token",
    "X-Amz-Security-Token",
    "X-Session-Id",
    "X-Hub-Signature",
    "X-Forwarded-Host",
    "X-Gatehouse-Team",
    "Cf-Connecting-Ip",
    "Sec-Fetch-Site",
    "Host",
    "Connection",
    "Transfer-Encoding",
    "Content-Length",
    "Expect",
    "Upgrade",
    ":authority",
  ])("%s stays here", (name) => {
    expect(forwardableHeaders({ [name.toLowerCase()]: "canary" }, "apikey")).toEqual({});
  });

  test.each([
    "accept",
    "user-agent",
    "x-stainless-os",
    "idempotency-key",
    "openai-beta",
    "traceparent",
    "x-keyboard",
    "x-author",
  ])("%s goes on", (name) => {
    expect(forwardableHeaders({ [name]: "v" }, "apikey")).toEqual({ [name]: "v" });
  });

  test.each([
    ["as it is", (key: string) => key],
    ["as a bearer token", (key: string) => `Bearer ${key}`],
    ["among others", (key: string) => `a, ${key}`],
  ])("one of our keys stays here in whatever header it stands, %s", (_name, write) => {
    expect(forwardableHeaders({ "x-team-pass": write(makeApiKey().key) }, "apikey")).toEqual({});
  });

  test("what only begins like one of our keys goes on", () => {
    const names = { "x-a": "gh_", "x-b": "ghost", "x-c": `${makeApiKey().key.slice(0, -1)}!` };
    expect(forwardableHeaders(names, "apikey")).toEqual(names);
  });

  test("the API's own key header and what `connection` names stay here, whatever they are called", () => {
    const names = fc.stringMatching(/^x-[a-z]{1,10}$/);
    fc.assert(
      fc.property(names, names, (own, named) => {
        expect(
          forwardableHeaders({ [own]: "a", [named]: "b", connection: `close, ${named.toUpperCase()}` }, own),
        ).toEqual({});
      }),
    );
  });
});

describe("an upstream's headers", () => {
  test("keep what is for the client, and give our own names back to the gateway", () => {
    const given = {
      "retry-after": "3",
      "x-should-retry": "true",
      "openai-version": "2020-10-01",
      "x-request-id": "req_1",
      "x-ratelimit-remaining-tokens": "9",
      "set-cookie": ["a=b"],
      "openai-organization": "org",
      server: "x",
      "access-control-allow-origin": "*",
      "content-length": "3",
      "transfer-encoding": "chunked",
      connection: "keep-alive",
    };
    expect(answerHeaders(given)).toEqual({
      "retry-after": "3",
      "x-should-retry": "true",
      "openai-version": "2020-10-01",
      "x-upstream-request-id": "req_1",
      "x-upstream-ratelimit-remaining-tokens": "9",
    });
  });
});
