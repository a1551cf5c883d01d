import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTextRedactor } from "../../src/guardrails/redact-text.ts";

const key = "sk_live_9fG27JqMxkVDbrktR4zep8wc";
const redact = createTextRedactor([]);
const all = (text: string, name = "") => redact({ text, name, keepUnits: text.length });

describe("what is taken out of texts", () => {
  test.each([
    { name: "an address", text: "Write to ada.lovelace@example.org today.", kept: "Write to [email] today." },
    { name: "a payment card", text: "Card 4111 1111 1111 1111, please.", kept: "Card [credit-card], please." },
    { name: "an account", text: "IBAN DE89 3704 0044 0532 0130 00", kept: "IBAN [iban]" },
  ])("$name", ({ text, kept }) => {
    expect(all(text)).toEqual({ text: kept, found: 1 });
  });

  test("a key, and several things of a text", () => {
    const { text, found } = all(`${key} of ada@example.org`);
    expect(text).not.toContain("sk_live");
    expect(text).not.toContain("ada@");
    expect(found).toBe(2);
  });

  test("what only its name tells: a password by itself looks like any word", () => {
    const word = "gK7qPzL2vWx9TbNd";
    expect(all(word).text).toBe(word);
    expect(all(word, "password").text).toBe("[assigned-secret]");
  });

  test("what the API's own guardrail knows, also where that leaves answers alone", () => {
    const config = { action: "off", names: ["Grace Hopper"], custom: [{ name: "badge", pattern: "B-[0-9]{5}" }] };
    const { text } = createTextRedactor([config])({ text: "Grace Hopper has B-12345.", name: "", keepUnits: 100 });
    expect(text).toBe("[name] has [badge].");
  });

  test("nothing of a text without such things", () => {
    expect(all("The weather in Bern is fine.")).toEqual({ text: "The weather in Bern is fine.", found: 0 });
  });
});

test("a thing that is cut by what may be kept goes as a whole", () => {
  const text = `Card 4111 1111 1111 1111 and ${"more ".repeat(20)}`;
  for (let keepUnits = 6; keepUnits < 24; keepUnits += 1)
    expect(redact({ text, name: "", keepUnits }).text).toBe("Card [credit-card]");
  expect(redact({ text, name: "", keepUnits: 5 }).text).toBe("Card ");
});

test("wherever they stand and however much is kept, no piece of an address or a key is left", () => {
  const filler = fc.string({ unit: fc.constantFrom("a", "b", "c", " ", "x", ",", ".", "ä", "ß", "字"), maxLength: 60 });
  fc.assert(
    fc.property(filler, filler, fc.nat({ max: 200 }), (before, after, keepUnits) => {
      const text = `${before} ada.lovelace@example.org ${after} ${key} ${before}`;
      const told = redact({ text, name: "query", keepUnits }).text;
      expect(told).not.toContain("lovelace");
      expect(told).not.toContain("sk_l");
    }),
  );
});

test("a configuration that is none throws, and nothing is told", () => {
  expect(() => createTextRedactor([{ action: "nothing" }])).toThrow();
});
