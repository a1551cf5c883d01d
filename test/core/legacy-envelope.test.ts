import { constants, createCipheriv, generateKeyPairSync, publicEncrypt, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { legacySymmetricKey, openLegacyEnvelope } from "../../src/core/legacy-envelope.ts";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const other = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const aes = Buffer.alloc(32, 7);
const base64 = (data: Buffer | string): string => Buffer.from(data).toString("base64");

const oaep = (text: string): Buffer =>
  publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha1" }, Buffer.from(text));

function gcm(text: string, { ivBytes = 16, withIv = true } = {}): Buffer {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv("aes-256-gcm", aes, iv);
  const data = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  const c = base64(withIv ? Buffer.concat([iv, data]) : data);
  return Buffer.from(JSON.stringify({ c, t: "AES/GCM/NoPadding", iv: base64(iv) }));
}

function rsaEnvelope(text: string, more: object = {}): Buffer {
  const about = { t: "RSA/ECB/OAEPwithSHA1andMGF1Padding", tp: "5E4F", tpd: "SHA-1" };
  return Buffer.from(JSON.stringify({ c: base64(oaep(text)), ...about, ...more }));
}

describe("an envelope of the old style is opened", () => {
  const envelopes: readonly { name: string; text: string }[] = [
    { name: "RSA-OAEP with the thumbprint of its certificate", text: base64(rsaEnvelope("geheim ☃")) },
    { name: "RSA-OAEP broken over lines", text: base64(rsaEnvelope("geheim ☃")).replace(/(.{64})/g, "$1\n") },
    { name: "RSA-OAEP without an envelope around it", text: base64(oaep("geheim ☃")) },
    { name: "AES-GCM with its IV of 16 bytes before the ciphertext", text: base64(gcm("geheim ☃")) },
    { name: "AES-GCM with its IV beside the ciphertext only", text: base64(gcm("geheim ☃", { withIv: false })) },
    {
      name: "AES-GCM with an IV of another length beside it",
      text: base64(gcm("geheim ☃", { ivBytes: 12, withIv: false })),
    },
  ];
  test.each(envelopes)("$name", ({ text }) => {
    expect(openLegacyEnvelope(text, { rsa: privateKey, aes })).toBe("geheim ☃");
  });
});

describe("refused with a reason and without the value", () => {
  const refused: readonly { name: string; text: string; keys?: object; says: string }[] = [
    {
      name: "another private key",
      text: base64(rsaEnvelope("x")),
      keys: { rsa: other.privateKey },
      says: "does not open it",
    },
    { name: "no private key", text: base64(rsaEnvelope("x")), keys: { aes }, says: "needs the private key" },
    {
      name: "no symmetric key",
      text: base64(gcm("x")),
      keys: { rsa: privateKey },
      says: "needs the old symmetric key",
    },
    {
      name: "another symmetric key",
      text: base64(gcm("x")),
      keys: { aes: Buffer.alloc(32) },
      says: "does not open it",
    },
    {
      name: "an unknown transformation",
      text: base64(rsaEnvelope("x", { t: "RSA/ECB/PKCS1Padding" })),
      says: "transformation",
    },
    { name: "JSON that is no envelope", text: base64('{"a":1}'), says: "no envelope" },
    { name: "half of JSON", text: base64('{"c":'), says: "no envelope" },
    { name: "what is not base64", text: "canary-4711!", says: "not base64" },
    { name: "an empty text", text: "", says: "not base64" },
    {
      name: "a GCM ciphertext without a tag",
      text: base64(JSON.stringify({ c: base64("short"), t: "AES/GCM/NoPadding" })),
      says: "does not open",
    },
  ];
  test.each(refused)("$name", ({ text, keys = { rsa: privateKey, aes }, says }) => {
    const open = (): unknown => openLegacyEnvelope(text, keys);
    expect(open).toThrow(
      expect.objectContaining({ code: "secret.undecryptable", message: expect.stringContaining(says) }),
    );
    expect(open).not.toThrow("4711");
  });

  test("one bit that was changed in a GCM envelope", () => {
    const envelope = JSON.parse(gcm("secret").toString()) as { c: string };
    const bytes = Buffer.from(envelope.c, "base64");
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    const text = base64(JSON.stringify({ ...envelope, c: base64(bytes) }));
    expect(() => openLegacyEnvelope(text, { aes })).toThrow(/altered/);
  });
});

test("the symmetric key is 64 hex digits, or as older ones the characters of an AES size", () => {
  expect(legacySymmetricKey(`${"07".repeat(32)}\n`)).toEqual(aes);
  expect(legacySymmetricKey("03BAFEB27A8E871CAD83C5CD4E771DAB").length).toBe(32);
  expect(() => legacySymmetricKey("short")).toThrow(/old symmetric key/);
});
