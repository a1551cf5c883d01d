import { describe, expect, test } from "vitest";
import { openFromFile, sealForFile } from "../../src/core/file-envelope.ts";
import { configuredKeys, createKeyring, keyIdOf, parseKeyring, printKeyring } from "../../src/core/keyring.ts";
import { openValue, sealValue } from "../../src/core/sealed-values.ts";

const one = "11".repeat(32);
const two = "22".repeat(32);

describe("a keyring", () => {
  test("seals with the first key, and opens what any of them has sealed", () => {
    const old = createKeyring([{ key: one }]);
    const sealed = sealValue(old, "text", "place");
    const ring = createKeyring([{ key: two }, { key: one }]);
    expect(ring.ids).toEqual([keyIdOf(two), keyIdOf(one)]);
    expect(sealValue(ring, "text", "place").kid).toBe(keyIdOf(two));
    expect(openValue(ring, sealed, "place")).toBe("text");
    expect(() => openValue(ring, sealed, "elsewhere")).toThrow(/cannot be decrypted/);
  });

  test("a key that was given a name opens what it sealed before it had one", () => {
    const sealed = sealValue(createKeyring([{ key: one }]), "text", "place");
    const named = createKeyring([{ id: "main", key: one }]);
    expect(named.current.id).toBe("main");
    expect(openValue(named, sealed, "place")).toBe("text");
  });

  test("whoever holds it sees that its keys were replaced", () => {
    const ring = createKeyring([{ key: one }]);
    const { find } = ring;
    ring.replace([{ key: two }]);
    expect(ring.current.id).toBe(keyIdOf(two));
    expect(find(keyIdOf(one))).toBeUndefined();
  });

  test.each([
    { name: "no key", entries: [] },
    { name: "one key twice", entries: [{ key: one }, { id: "again", key: one }] },
    {
      name: "two keys of one id",
      entries: [
        { id: "a", key: one },
        { id: "a", key: two },
      ],
    },
    {
      name: "too many",
      entries: Array.from({ length: 11 }, (_, index) => ({ key: index.toString(16).padStart(64, "0") })),
    },
    { name: "a key that is none", entries: [{ key: "abc" }] },
  ])("$name is refused", ({ entries }) => {
    expect(() => createKeyring(entries)).toThrow(expect.objectContaining({ code: "config.invalid" }));
  });
});

describe("keys as text", () => {
  test("one a line or with commas between, with or without an id, and back", () => {
    const entries = [
      { id: "new.2026", key: two },
      { id: undefined, key: one },
    ];
    expect(parseKeyring(`\n new.2026:${two}\r\n${one}\n\n`, "it")).toEqual(entries);
    expect(parseKeyring(`new.2026:${two},${one}`, "it")).toEqual(entries);
    expect(parseKeyring(printKeyring(entries), "it")).toEqual(entries);
  });

  test.each(["canary", `${one}0`, `:${one}`, `a b:${one}`, `a:b:${one}`, `${one} ${two}`])(
    "%j is refused without being repeated",
    (text) => {
      const parse = (): unknown => parseKeyring(text, "The file");
      expect(parse).toThrow(/^The file does not hold encryption keys/);
      expect(parse).not.toThrow(text);
    },
  );

  test("a configuration has a list, one key, or none", () => {
    expect(configuredKeys({ encryptionKey: one })).toBe(one);
    expect(parseKeyring(configuredKeys({ encryptionKeys: [`a:${one}`, { id: "b", key: two }] }) ?? "", "it")).toEqual([
      { id: "a", key: one },
      { id: "b", key: two },
    ]);
    expect(configuredKeys({})).toBeUndefined();
  });
});

describe("a value sealed for a file", () => {
  const ring = createKeyring([{ key: one }]);

  test.each(["x", "canary", "naïve ☃", "line\nline", "a".repeat(65_536)])("comes back whole", (value) => {
    const sealed = sealForFile(ring, value);
    expect(sealed).toMatch(/^\$\{enc:vk_[0-9a-f]{12}:[\w-]+:[\w-]+\}$/);
    expect(sealed).not.toContain("canary");
    expect(openFromFile(ring, sealed)).toEqual({ value });
  });

  test("is refused when a character was changed, and tells which key it would need when that is another", () => {
    const sealed = sealForFile(ring, "value");
    const altered = sealed.replace(/.\}$/, (end) => (end === "A}" ? "B}" : "A}"));
    expect(openFromFile(ring, altered)).toEqual({ fault: expect.stringContaining("it was altered") });
    expect(openFromFile(createKeyring([{ key: two }]), sealed)).toEqual({
      fault: expect.stringMatching(new RegExp(`${keyIdOf(one)}.*${keyIdOf(two)}`)),
    });
    expect(openFromFile(ring, "${enc:}")).toEqual({ fault: expect.stringContaining("no whole") });
  });
});
