import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { printReference } from "../src/cli/config-reference.ts";
import { describeConfig, loadConfig, readConfig } from "../src/config.ts";
import { listSettings } from "../src/config-schema.ts";

let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "gatehouse-config-"));
});

afterEach(() => rm(cwd, { recursive: true, force: true }));

const file = (text: string): Promise<void> => writeFile(join(cwd, "gatehouse.yaml"), text);
const load = (env: Record<string, string> = {}, flags: Record<string, string> = {}) => loadConfig({ env, flags, cwd });
const faultOf = (env: Record<string, string> = {}): string => {
  try {
    load(env);
  } catch (error) {
    return String(error);
  }
  throw new Error("nothing was refused");
};

describe("where values come from", () => {
  test("nothing set gives loopback, the two ports and a data directory below the working directory", () => {
    expect(load()).toMatchObject({
      env: "development",
      host: "127.0.0.1",
      port: 8080,
      controlHost: "127.0.0.1",
      controlPort: 9090,
      dataDir: join(cwd, ".gatehouse"),
      allowedHosts: [],
    });
  });

  test("a flag beats a variable, a variable beats the file, the file beats the default", async () => {
    await file("port: 1001\ncontrolPort: 1002\nlogLevel: warn\n");
    expect(load({ GATEHOUSE_PORT: "2001", GATEHOUSE_CONTROL_PORT: "2002" }, { port: "3001" })).toMatchObject({
      port: 3001,
      controlPort: 2002,
      logLevel: "warn",
      host: "127.0.0.1",
    });
  });

  test("an empty variable counts as absent", async () => {
    await file("port: 1001\n");
    expect(load({ GATEHOUSE_PORT: "", GATEHOUSE_ADMIN_TOKEN: "" })).toMatchObject({ port: 1001 });
  });

  test("a list in a variable is written with commas", () => {
    expect(load({ GATEHOUSE_TRUSTED_PROXIES: "10.0.0.0/8, ::1" }).trustedProxies).toEqual(["10.0.0.0/8", "::1"]);
  });

  test("a switch in a variable is written true or false", () => {
    expect(load().network.allowKeyless).toBe(false);
    expect(load({ GATEHOUSE_NETWORK_ALLOW_KEYLESS: "true" }).network.allowKeyless).toBe(true);
    expect(load({ GATEHOUSE_NETWORK_ALLOW_KEYLESS: "false" }).network.allowKeyless).toBe(false);
    expect(faultOf({ GATEHOUSE_NETWORK_ALLOW_KEYLESS: "yes" })).toMatch(/GATEHOUSE_NETWORK_ALLOW_KEYLESS/);
  });

  test("a mapping in a variable is written as JSON, and one that is none is named", () => {
    const config = load({ GATEHOUSE_EMBEDDING_USE: "openai", GATEHOUSE_EMBEDDING_WITH: '{"model": "m"}' });
    expect(config.embedding).toMatchObject({ use: "openai", with: { model: "m" } });
    for (const value of ["model: m", "[1]", "1"]) {
      expect(faultOf({ GATEHOUSE_EMBEDDING_WITH: value })).toMatch(/GATEHOUSE_EMBEDDING_WITH/);
    }
  });

  test("nested settings have variables too", () => {
    const config = load({ GATEHOUSE_LIMITS_DRAIN_TIMEOUT_MS: "5", GATEHOUSE_NETWORK_ALLOW_CIDRS: "192.168.0.0/16" });
    expect(config.limits.drainTimeoutMs).toBe(5);
    expect(config.network.allowCidrs).toEqual(["192.168.0.0/16"]);
  });

  test("a path in the file is relative to the file, one in a variable to the working directory", async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), "gatehouse-elsewhere-"));
    await writeFile(join(elsewhere, "g.yaml"), "dataDir: data\ntls: { certFile: c.pem, keyFile: k.pem }\n");
    const config = loadConfig({ file: join(elsewhere, "g.yaml"), env: { GATEHOUSE_TLS_KEY_FILE: "mine.pem" }, cwd });
    expect(config.dataDir).toBe(join(elsewhere, "data"));
    expect(config.tls).toEqual({ certFile: join(elsewhere, "c.pem"), keyFile: join(cwd, "mine.pem") });
    await rm(elsewhere, { recursive: true });
  });

  test("an empty file is as good as none", async () => {
    await file("# nothing yet\n");
    expect(load().port).toBe(8080);
  });

  test("the environment of the quickstart's provider is read under its usual names", () => {
    expect(load({ OPENAI_API_KEY: "sk-1", OPENAI_BASE_URL: "http://127.0.0.1:9/v1/" }).quickstart).toEqual({
      openaiApiKey: "sk-1",
      openaiBaseUrl: "http://127.0.0.1:9/v1/",
      openaiModel: "gpt-4o-mini",
    });
  });
});

describe("what is refused", () => {
  const cases = [
    {
      name: "an unknown variable, with the nearest",
      env: { GATEHOUSE_PROT: "1" },
      says: /GATEHOUSE_PROT: .*"GATEHOUSE_PORT"/,
    },
    { name: "a number that is none", env: { GATEHOUSE_PORT: "eighty" }, says: /GATEHOUSE_PORT port/ },
    { name: "a port out of range", env: { GATEHOUSE_PORT: "65536" }, says: /GATEHOUSE_PORT port/ },
    { name: "a range that is none", env: { GATEHOUSE_TRUSTED_PROXIES: "10.0.0.0/33" }, says: /TRUSTED_PROXIES/ },
    { name: "half of TLS", env: { GATEHOUSE_TLS_CERT_FILE: "c.pem" }, says: /tls\.keyFile/ },
    {
      name: "an address that is no URL",
      env: { GATEHOUSE_PUBLIC_URL: "gw.example.com" },
      says: /GATEHOUSE_PUBLIC_URL/,
    },
    {
      name: "a short admin token in production, with the command that makes one",
      env: { GATEHOUSE_ENV: "production", GATEHOUSE_ADMIN_TOKEN: "short" },
      says: /adminToken.*openssl rand -hex 32/,
    },
  ];
  test.each(cases)("$name", ({ env, says }) => expect(faultOf(env)).toMatch(says));

  test("but not an OPENAI_BASE_URL that another program may use", () => {
    expect(() => load({ GATEHOUSE_ENV: "production", OPENAI_BASE_URL: "not a URL" })).not.toThrow();
  });

  test("an unknown setting of the file, with its line and the nearest", async () => {
    await file("port: 1\nlimits:\n  drainTimeout: 5\n");
    expect(faultOf()).toMatch(
      /gatehouse\.yaml:3 limits\.drainTimeout: unknown setting; did you mean "drainTimeoutMs"\?/,
    );
  });

  test("a file that is no YAML, with the line", async () => {
    await file("port: 1\nhost: [\n");
    expect(faultOf()).toMatch(/gatehouse\.yaml:\d: /);
  });

  test("a file that is a list", async () => {
    await file("- port: 1\n");
    expect(faultOf()).toMatch(/must be a mapping/);
  });

  test("a named file that is not there", () => {
    expect(() => loadConfig({ file: "other.yaml", env: {}, cwd })).toThrow(/no configuration file at .*other\.yaml/);
  });

  test("every fault is told at once", () => {
    expect(faultOf({ GATEHOUSE_PORT: "x", GATEHOUSE_LOG_LEVEL: "loud" })).toMatch(
      /GATEHOUSE_PORT.*GATEHOUSE_LOG_LEVEL/,
    );
  });

  test("a secret value that is refused is not repeated", () => {
    const fault = faultOf({ GATEHOUSE_ENCRYPTION_KEY: "canary-4711", GATEHOUSE_ADMIN_TOKEN: "canary 4712" });
    expect(fault).toMatch(/encryptionKey/);
    expect(fault).toMatch(/adminToken/);
    expect(fault).not.toContain("canary");
  });
});

describe("what is shown", () => {
  test("secret values are masked, the others shown with their source", () => {
    const env = {
      GATEHOUSE_ADMIN_TOKEN: "canary-1",
      GATEHOUSE_ENCRYPTION_KEY: "ab".repeat(32),
      OPENAI_API_KEY: "canary-3",
    };
    const shown = describeConfig(readConfig({ env: { ...env, GATEHOUSE_PORT: "7" }, cwd }));
    expect(shown).toContainEqual({ name: "port", value: "7", source: "GATEHOUSE_PORT" });
    expect(shown).toContainEqual({ name: "controlPort", value: "9090", source: "default" });
    expect(shown).toContainEqual({ name: "adminToken", value: "(set, not shown)", source: "GATEHOUSE_ADMIN_TOKEN" });
    expect(JSON.stringify(shown)).not.toMatch(/canary|abab/);
  });

  test("every setting has a title, a description and its own variable", () => {
    const settings = listSettings();
    expect(settings.length).toBeGreaterThan(20);
    for (const setting of settings) expect(setting).toMatchObject({ description: expect.stringMatching(/\.$/) });
    expect(new Set(settings.map((setting) => setting.env)).size).toBe(settings.length);
  });

  test("the committed reference page is what the schema prints", async () => {
    const page = await readFile(new URL("../docs/reference/configuration.md", import.meta.url), "utf8");
    expect(page).toBe(printReference());
  });
});
