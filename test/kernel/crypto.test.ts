import { createHmac, createSecretKey, hkdfSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deriveKey, equalInConstantTime, hmacSha256, keyFromHex, seal, unseal } from "../../src/kernel/crypto.ts";

const master = createSecretKey(Buffer.alloc(32, 1));
const key = deriveKey(master, "gatehouse/vault");
const undecryptable = expect.objectContaining({ code: "secret.undecryptable" });

describe("derived keys", () => {
  test("are those of HKDF-SHA-256 without salt, 256 bits", () => {
    const expected = Buffer.from(hkdfSync("sha256", Buffer.alloc(32, 1), "", "gatehouse/vault", 32));
    expect(key.export().equals(expected)).toBe(true);
    expect(key.symmetricKeySize).toBe(32);
  });

  test("differ by label and by master key", () => {
    const other = createSecretKey(Buffer.alloc(32, 2));
    const keys = [key, deriveKey(master, "gatehouse/api-key"), deriveKey(other, "gatehouse/vault"), master];
    expect(new Set(keys.map((one) => one.export().toString("hex"))).size).toBe(keys.length);
  });

  test("of one purpose cannot do the other's work", () => {
    const sealed = seal(key, "k1", "value", "sec_1");
    expect(() => unseal(deriveKey(master, "gatehouse/api-key"), sealed, "sec_1")).toThrow(undecryptable);
  });
});

describe("a key in hex", () => {
  test("is read with white space round it and in either case", () => {
    const hex = "0123456789abcdef".repeat(4);
    expect(keyFromHex(` ${hex.toUpperCase()}\n`, "GATEHOUSE_ENCRYPTION_KEY").export().toString("hex")).toBe(hex);
  });

  test.each(["", "ab", "g".repeat(64), "a".repeat(63), "a".repeat(65), `${"a".repeat(32)} ${"a".repeat(31)}`])(
    "of another form is refused, naming its source and not its value: %j",
    (hex) => {
      expect(() => keyFromHex(hex, "the key file")).toThrow(
        expect.objectContaining({ code: "config.invalid", message: expect.stringContaining("the key file") }),
      );
      if (hex !== "") expect(() => keyFromHex(hex, "the key file")).not.toThrow(hex);
    },
  );
});

describe("sealing", () => {
  const plaintext = fc.string({ unit: fc.constantFrom("a", "0", " ", "\0", "\n", "ä", "€", "😀", "\uFFFD") });

  test("gives back any text to the same key and row, and does not show it", () => {
    fc.assert(
      fc.property(plaintext, fc.string(), (text, row) => {
        const sealed = seal(key, "k1", text, row);
        expect(unseal(key, sealed, row)).toBe(text);
        if (text.length > 3) expect(Buffer.from(sealed.data, "base64").includes(text)).toBe(false);
      }),
    );
  });

  test("never uses a nonce twice, so equal texts look different", () => {
    const sealed = Array.from({ length: 1_000 }, () => seal(key, "k1", "same", "sec_1"));
    expect(new Set(sealed.map(({ nonce }) => nonce)).size).toBe(1_000);
    expect(new Set(sealed.map(({ data }) => data)).size).toBe(1_000);
    expect(Buffer.from(sealed[0]?.nonce ?? "", "base64")).toHaveLength(12);
  });

  test("binds a value to its row and its key", () => {
    const sealed = seal(key, "k1", "value", "sec_1");
    expect(() => unseal(key, sealed, "sec_2")).toThrow(undecryptable);
    expect(() => unseal(createSecretKey(Buffer.alloc(32, 9)), sealed, "sec_1")).toThrow(undecryptable);
  });

  test("any altered bit of nonce, ciphertext or tag is found", () => {
    const sealed = seal(key, "k1", "a secret value", "sec_1");
    fc.assert(
      fc.property(fc.constantFrom("nonce" as const, "data" as const), fc.nat(), (member, bit) => {
        const bytes = Buffer.from(sealed[member], "base64");
        const at = bit % (bytes.length * 8);
        bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
        expect(() => unseal(key, { ...sealed, [member]: bytes.toString("base64") }, "sec_1")).toThrow(undecryptable);
      }),
    );
  });

  test("a value that was cut, to any length, is found", () => {
    const sealed = seal(key, "k1", "a secret value", "sec_1");
    const data = Buffer.from(sealed.data, "base64");
    for (let length = 0; length < data.length; length += 1) {
      const cut = { ...sealed, data: data.subarray(0, length).toString("base64") };
      expect(() => unseal(key, cut, "sec_1")).toThrow(undecryptable);
    }
    expect(() => unseal(key, { ...sealed, nonce: "" }, "sec_1")).toThrow(undecryptable);
  });

  test("a failure names row and key id and nothing of the value", () => {
    const sealed = seal(key, "k1", "value", "sec_1");
    expect(() => unseal(master, sealed, "sec_1")).toThrow(
      expect.objectContaining({ detail: expect.stringMatching(/sec_1.*k1/), message: "A secret cannot be decrypted." }),
    );
  });
});

test("an HMAC is that of SHA-256 over text as UTF-8 or over bytes", () => {
  const expected = createHmac("sha256", Buffer.alloc(32, 1)).update("hällo").digest();
  expect(hmacSha256(master, "hällo").equals(expected)).toBe(true);
  expect(hmacSha256(master, Buffer.from("hällo")).equals(expected)).toBe(true);
});

test("only the same bytes are equal, and different lengths are no fault", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (left, right) => {
      expect(equalInConstantTime(left, Uint8Array.from(left))).toBe(true);
      expect(equalInConstantTime(left, right)).toBe(Buffer.from(left).equals(Buffer.from(right)));
    }),
  );
});
