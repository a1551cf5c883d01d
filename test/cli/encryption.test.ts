import { constants, generateKeyPairSync, publicEncrypt } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { openFromFile } from "../../src/core/file-envelope.ts";
import { keyIdOf } from "../../src/core/keyring.ts";
import { putSecret, readSecret } from "../../src/core/secrets.ts";
import { vaultKeyring } from "../../src/core/vault-keys.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../kit/gatehouse.ts";
import type { CommandResult } from "./test-shell.ts";
import { command } from "./test-shell.ts";

let gatehouse: TestGatehouse;

beforeEach(async () => {
  gatehouse = await startTestGatehouse();
});

afterEach(() => gatehouse[Symbol.asyncDispose]());

const run = (args: readonly string[], input = ""): Promise<CommandResult> =>
  command([...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir, input });
const keyFile = (): Promise<string> => readFile(join(gatehouse.dataDir, "encryption.key"), "utf8");

describe("gatehouse secrets rotate", () => {
  test("makes a new key, seals everything with it while serving, and the doctor says what may be dropped", async () => {
    const { context } = gatehouse.running;
    await putSecret(context, testActor, { name: "llm-key", value: "canary-4711" });
    const old = keyIdOf((await keyFile()).trim());
    const rotated = await run(["secrets", "rotate", "--new-key"]);
    const [first = "", second = ""] = (await keyFile()).trim().split("\n");
    expect(rotated).toMatchObject({ code: 0 });
    expect(rotated.out).toEqual([
      expect.stringMatching(new RegExp(`^sealing \\d+ values with ${keyIdOf(first)}$`)),
      expect.stringMatching(/^sealed \d+ values/),
      `${old} seals nothing any more; take it out of the key file with: gatehouse secrets rotate --drop-old`,
    ]);
    expect(keyIdOf(second)).toBe(old);
    expect(await readSecret(context, "llm-key")).toBe("canary-4711");
    expect((await run(["doctor"])).out).toContain(
      `hint   encryption: ${old} seals nothing any more and may be dropped: gatehouse secrets rotate --drop-old`,
    );
    const dropping = await run(["secrets", "rotate", "--drop-old"]);
    expect(dropping).toMatchObject({
      code: 0,
      notes: expect.stringContaining("Backups from before now need the keys"),
    });
    expect((await keyFile()).trim()).toBe(first);
    expect((await readFile(join(gatehouse.dataDir, "encryption.key.dropped"), "utf8")).trim()).toBe(second);
    const doctor = await run(["doctor"]);
    expect(doctor.out.filter((line) => line.includes("encryption:"))).toEqual([
      expect.stringMatching(new RegExp(`^ok     encryption: \\d+ values are sealed with ${keyIdOf(first)}$`)),
    ]);
    expect(await readSecret(context, "llm-key")).toBe("canary-4711");
    expect(JSON.stringify([rotated, doctor, gatehouse.log.lines])).not.toMatch(new RegExp(`4711|${first}|${second}`));
  });
});

describe("gatehouse secrets encrypt", () => {
  test("prints an envelope that the installation's key opens, with its control plane and without", async () => {
    const keys = vaultKeyring(await keyFile());
    const withFile = await run(["secrets", "encrypt"], "canary-4711\n");
    const withControl = await run(
      ["secrets", "encrypt", "--control-url", gatehouse.running.controlUrl],
      "canary-4711\n",
    );
    for (const { code, out } of [withFile, withControl]) {
      expect({ code, lines: out.length }).toEqual({ code: 0, lines: 1 });
      expect(openFromFile(keys, out[0] ?? "")).toEqual({ value: "canary-4711" });
    }
  });

  test("makes what a resource file may hold in place of a reference", async () => {
    const { out } = await run(["secrets", "encrypt"], "canary-4711");
    const file = `
apiVersion: gatehouse/v1
kind: LlmProvider
metadata: { name: far }
spec: { use: openai-compatible, with: { baseUrl: "http://127.0.0.1:9/v1", apiKey: "${out[0]}" } }
`;
    await writeFile(join(gatehouse.dataDir, "provider.yaml"), file);
    const applied = await run(["apply", "-f", "provider.yaml"]);
    expect(applied).toMatchObject({ code: 0, out: ["created LlmProvider/far"] });
    expect((await run(["apply", "-f", "provider.yaml"])).out).toEqual(["unchanged LlmProvider/far"]);
  });

  test("makes what a setting may hold in gatehouse.yaml; one that does not open is told with its line", async () => {
    const { out } = await run(["secrets", "encrypt"], "canary-admin-token-4711");
    const settings = (text: string) =>
      writeFile(join(gatehouse.dataDir, "gatehouse.yaml"), `dataDir: .\nadminToken: "${text}"\n`);
    await settings(out[0] ?? "");
    expect(loadConfig({ env: {}, cwd: gatehouse.dataDir }).adminToken).toBe("canary-admin-token-4711");
    await settings((out[0] ?? "").replace(/.{6}\}$/, "AAAAAA}"));
    expect(() => loadConfig({ env: {}, cwd: gatehouse.dataDir })).toThrow(
      /gatehouse\.yaml:2 adminToken: it does not open/,
    );
    const other = { GATEHOUSE_ENCRYPTION_KEY: "ab".repeat(32) };
    expect(() => loadConfig({ env: other, cwd: gatehouse.dataDir })).toThrow(/the key here is vk_/);
  });

  test("a setting is held to its rules when it is open", async () => {
    const { out } = await run(["secrets", "encrypt"], "two words");
    const env = { GATEHOUSE_ADMIN_TOKEN: out[0] ?? "", GATEHOUSE_DATA_DIR: gatehouse.dataDir };
    expect(() => loadConfig({ env, cwd: gatehouse.dataDir })).toThrow(/printable ASCII/);
    expect(() => loadConfig({ env, cwd: gatehouse.dataDir })).not.toThrow("two words");
  });
});

describe("gatehouse secrets import-legacy", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const sealed = (value: string): string => {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const c = publicEncrypt({ key: publicKey, padding, oaepHash: "sha1" }, Buffer.from(value)).toString("base64");
    const t = "RSA/ECB/OAEPwithSHA1andMGF1Padding";
    return Buffer.from(JSON.stringify({ c, t, tp: "00", tpd: "SHA-1" })).toString("base64");
  };

  beforeEach(async () => {
    const pem = privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "wso2carbon" });
    await writeFile(join(gatehouse.dataDir, "old.pem"), pem, { mode: 0o600 });
  });

  const importLegacy = (lines: string, ...more: readonly string[]): Promise<CommandResult> =>
    writeFile(join(gatehouse.dataDir, "cipher-text.properties"), lines).then(() =>
      run(["secrets", "import-legacy", "cipher-text.properties", "--keystore-pem", "old.pem", ...more], "wso2carbon\n"),
    );

  test("sets a secret for each alias, under a name that is made of it", async () => {
    const lines = `# old\nendpointSecret.OpenAI = ${sealed("canary-4711")}\nadmin_password=${sealed("canary-4712")}\n`;
    expect(await importLegacy(lines, "--dry-run")).toMatchObject({
      code: 0,
      out: [expect.stringMatching(/^would set/), expect.anything()],
    });
    const done = await importLegacy(lines);
    expect(done).toMatchObject({
      code: 0,
      out: [
        "set Secret/endpoint-secret-open-ai from endpointSecret.OpenAI",
        "set Secret/admin-password from admin_password",
      ],
    });
    expect(await readSecret(gatehouse.running.context, "endpoint-secret-open-ai")).toBe("canary-4711");
    expect(JSON.stringify([done, gatehouse.log.lines])).not.toContain("canary-471");
    expect(await importLegacy(lines)).toMatchObject({ code: 1, notes: expect.stringContaining("--replace") });
    expect(await importLegacy(lines, "--replace")).toMatchObject({ code: 0 });
  });

  test("sets nothing when one value does not open, and names its line", async () => {
    const result = await importLegacy(
      `good=${sealed("x")}\nbad=${Buffer.from("nonsense").toString("base64")}\nworse\n`,
    );
    expect(result).toMatchObject({ code: 1, out: [] });
    expect(result.notes).toMatch(/cipher-text\.properties:2 bad: .*\n?.*cipher-text\.properties:3: write ALIAS=VALUE/s);
    await expect(readSecret(gatehouse.running.context, "good")).rejects.toMatchObject({ code: "resource.not_found" });
  });
});
