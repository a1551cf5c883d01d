import { createSecretKey, randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createRequestStates } from "../../src/mcp/request-state.ts";

const states = createRequestStates(createSecretKey(randomBytes(32)));
const state = { ticket: "ticket-of-a-test", expiresAtMs: 1_000 };
const request = { method: "tools/call", params: { name: "pay", arguments: { to: "ada", amount: 1 } } };

test("a state opens for its owner and its request, whatever input and _meta come with that", () => {
  const text = states.seal(state, "ada", request);
  const again = { ...request.params, inputResponses: { a: {} }, requestState: text, _meta: { x: 1 } };
  expect(states.open(text, "ada", { method: "tools/call", params: again })).toEqual(state);
  expect(text).toMatch(/^[\x21-\x7e]+$/);
  expect(text).not.toContain("ticket-of-a-test");
});

test("it opens for nobody else, and for no other request", () => {
  const text = states.seal(state, "ada", request);
  expect(states.open(text, "bob", request)).toBeUndefined();
  expect(states.open(text, "ada", { ...request, method: "prompts/get" })).toBeUndefined();
  const other = { ...request.params, arguments: { to: "eve", amount: 1 } };
  expect(states.open(text, "ada", { ...request, params: other })).toBeUndefined();
  const elsewhere = createRequestStates(createSecretKey(randomBytes(32)));
  expect(elsewhere.open(text, "ada", request)).toBeUndefined();
});

test("no text but the one that was given opens", () => {
  const text = states.seal(state, "ada", request);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".split("");
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom(...alphabet), (at, letter) => {
      const changed = text.slice(0, at) + letter + text.slice(at + 1);
      expect(states.open(changed, "ada", request)).toEqual(changed === text ? state : undefined);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (made) => {
      expect(states.open(`gr1.${made}`, "ada", request)).toBeUndefined();
    }),
  );
});
