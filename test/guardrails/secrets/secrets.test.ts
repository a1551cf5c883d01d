import { generateKeyPairSync, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeAccessToken } from "../../../src/core/access-token-format.ts";
import { makeApiKey } from "../../../src/core/api-key-format.ts";
import { makeClientSecret } from "../../../src/core/client-secret-format.ts";
import { secretFinder, secretKinds } from "../../../src/guardrails/secrets/find-secrets.ts";
import { secrets } from "../../../src/guardrails/secrets/secrets.ts";
import type { TextSpan } from "../../../src/pipeline/define-guardrail.ts";
import { attach, buildTools } from "../../kit/exchange.ts";
import { guardedCall } from "../../kit/guarded-call.ts";
import { collect, cutsOf } from "../../kit/stream-guards.ts";
import { edited, textOf } from "../../kit/text-adapter.ts";

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const hex = "0123456789abcdef";

/** Random characters: these texts are made anew each time, so that none of them stands in a file. */
function some(length: number, alphabet = base62): string {
  return Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join("");
}

const pem = generateKeyPairSync("rsa", { modulusLength: 1_024 })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString()
  .trim();

/** The third of a JWT that is not its name. */
const claims = Buffer.from(JSON.stringify({ sub: some(12), admin: true })).toString("base64url");

const examples: Readonly<Record<string, () => readonly string[]>> = {
  "private-key": () => [pem, pem.replaceAll("\n", "\\n"), pem.replaceAll("PRIVATE KEY", "OPENSSH PRIVATE KEY")],
  "gatehouse-key": () => [makeApiKey().key, makeAccessToken().token, makeClientSecret().secretValue],
  "github-token": () => [`ghp_${some(36)}`, `gho_${some(36)}`, `github_pat_${some(22)}_${some(59)}`],
  "npm-token": () => [`npm_${some(36)}`],
  "aws-access-key": () => [`AKIA${some(16, base32)}`, `ASIA${some(16, base32)}`],
  "google-key": () => [`AIza${some(35)}`, `GOCSPX-${some(28)}`, `ya29.${some(60)}`],
  "gitlab-token": () => [`glpat-${some(20)}`, `gldt-${some(20)}`],
  "slack-token": () => [`xoxb-${some(12, "0123456789")}-${some(24)}`, `xapp-1-${some(30)}`],
  "slack-webhook": () => [`hooks.slack.com/services/T${some(8)}/B${some(8)}/${some(24)}`],
  "stripe-key": () => [`sk_live_${some(24)}`, `rk_test_${some(24)}`, `whsec_${some(32)}`],
  "anthropic-key": () => [`sk-ant-api03-${some(93)}-${some(6)}AA`],
  "openai-key": () => [`sk-proj-${some(74)}T3BlbkFJ${some(73)}`, `sk-${some(20)}T3BlbkFJ${some(20)}`, `sk-${some(48)}`],
  "model-provider-key": () => [`hf_${some(34)}`, `gsk_${some(52)}`, `sk-or-v1-${some(64, hex)}`, `xai-${some(80)}`],
  "package-registry-token": () => [
    `pypi-AgEIcHlwaS5vcmc${some(120)}`,
    `rubygems_${some(48, hex)}`,
    `dckr_pat_${some(27)}`,
  ],
  "mail-service-key": () => [`SG.${some(22)}.${some(43)}`, `key-${some(32, hex)}`, `${some(32, hex)}-us12`],
  "twilio-key": () => [`SK${some(32, hex)}`],
  "chat-bot-token": () => [`${some(9, "123456789")}:AA${some(33)}`, `M${some(23)}.${some(6)}.${some(38)}`],
  "azure-key": () => [`AccountKey=${some(86)}==`, `${some(3)}8Q~${some(34)}`, `sig=${some(40)}%3D`],
  "cloud-token": () => [`dop_v1_${some(64, hex)}`, `dapi${some(32, hex)}`, `hvs.${some(24)}`, `pul-${some(40, hex)}`],
  "service-token": () => [
    `shpat_${some(32, hex)}`,
    `lin_api_${some(40)}`,
    `figd_${some(40)}`,
    `glsa_${some(32)}_${some(8, hex)}`,
  ],
  jwt: () => [`eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.${claims}.${some(43)}`],
  "url-password": () => [
    `postgres://admin:${some(14)}@db.example.com:5432/app`,
    `https://me:p4ss!${some(4)}@example.com/`,
  ],
  "assigned-secret": () => [
    `api_key = "${some(32)}"`,
    `{"client_secret": "${some(40)}"}`,
    `Authorization: Bearer ${some(40)}`,
    "DB_PASS=Tr0ub4dor!3",
    "my password is Hunter2!",
    `aws_secret_access_key=${some(40, `${base62}+/`)}`,
  ],
};

describe("the shape of", () => {
  test.each(secretKinds)("%s is found alone, in a sentence, in JSON and behind a sign", (kind) => {
    const made = examples[kind]?.() ?? [];
    expect(made.length).toBeGreaterThan(0);
    for (const text of made) {
      for (const around of [text, `Here it is: ${text} , yes`, `("${text}")`, `é=${text}`]) {
        const kinds = found(around).map(([each]) => each);
        expect({ around, kinds }).toEqual({ around, kinds: [kind] });
      }
    }
  });

  test("a GitHub token is known by its checksum, also where it looks made up", () => {
    const body = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    let [rest, check] = [crc32(body), ""];
    while (check.length < 6) [check, rest] = [base62.charAt(rest % 62) + check, Math.floor(rest / 62)];
    expect(found(`ghp_${body}${check}`).map(([kind]) => kind)).toEqual(["github-token"]);
    expect(found(`ghp_${body}000000`)).toEqual([]);
  });

  test("a value beside a telling name is found alone, without the name and the quotes", () => {
    const value = some(32);
    expect(found(`token: '${value}', next`)).toEqual([["assigned-secret", value]]);
    expect(found("password is Hunter2! and more")).toEqual([["assigned-secret", "Hunter2"]]);
  });
});

describe("what looks like a secret and is none", () => {
  test.each([
    [
      "examples of documents",
      "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY sk_test_4eC39HqLyjWDarjtT1zdp7dc",
    ],
    [
      "stand-ins",
      "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx api_key=YOUR_API_KEY_GOES_HERE1 token: <your-token> password: ******** ghp_xxxx",
    ],
    [
      "variables",
      "password: ${DB_PASSWORD} token=$TOKEN secret: {{ .Values.secret }} api_key=process.env.API_KEY1 pwd=%(pw)s",
    ],
    [
      "prose",
      "Password: required. Your token: is it there? The secret of success: patience. passed: 12/34-x, compass: N45-E12",
    ],
    [
      "types and counts",
      "max_tokens=4096 token_count: 1234567890123456 password: string; secret?: boolean apiKey: undefined",
    ],
    ["first lines", "A file that begins with -----BEGIN PRIVATE KEY----- is one. -----BEGIN PUBLIC KEY----- is not."],
    [
      "hashes and ids",
      "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 550e8400-e29b-41d4-a716-446655440000",
    ],
    ["links", "https://example.com/a/b?page=2&sort=name http://localhost:8080/x@y https://user@example.com/"],
    ["names with dashes", "key-value-store-of-the-year sk-learn-contrib-project-template npm_package_config_registry"],
  ])("%s", (_name, text) => {
    expect(found(text)).toEqual([]);
  });

  test("is what the operator allows", () => {
    const key = `AKIA${some(16, base32)}`;
    expect(found(key, { allow: [key] })).toEqual([]);
    expect(found(key, { kinds: ["jwt"] })).toEqual([]);
  });
});

describe("the guardrail", () => {
  test("redacts, blocks or annotates by kinds and counts, and quotes nothing", () => {
    const key = `AKIA${some(16, base32)}`;
    const text = `one ${key} and two ${key}`;
    expect(verdict({}, text)).toMatchObject({ type: "rewrite", detail: "aws-access-key 2" });
    expect(redacted(text)).toBe("one [secret] and two [secret]");
    const blocked = verdict({ action: "block" }, text);
    expect(blocked).toMatchObject({
      type: "deny",
      reason: "The request holds a secret that is not permitted here: aws-access-key.",
    });
    expect(verdict({ action: "annotate" }, text)).toMatchObject({ type: "pass", detail: "aws-access-key 2" });
    expect(JSON.stringify([verdict({}, text), blocked])).not.toContain(key);
  });

  test("gives the same for every way of cutting a stream, however long the secret is", async () => {
    const jwt = examples["jwt"]?.()[0] ?? "";
    const long = `eyJhbGciOiJub25lIn0.${some(600)}.${some(86)}`;
    const text = [
      `key ${makeApiKey().key}.`,
      jwt,
      `then ${long} and`,
      `token: ${some(32)};`,
      pem,
      "the end. ",
      "x".repeat(400),
    ].join(" ");
    const whole = redacted(text);
    expect(whole).toBe(
      `key [secret]. [secret] then [secret] and token: [secret]; [secret] the end.  ${"x".repeat(400)}`,
    );
    const guardrail = secrets.compile(secrets.config.parse({}), buildTools());
    await fc.assert(
      fc.asyncProperty(cutsOf(text), async (frames) => {
        expect(textOf((await collect(frames, [attach(guardrail)])).passed)).toBe(whole);
      }),
      { numRuns: 100 },
    );
  });
});

describe("time", () => {
  test.each([
    ["begins of keys", "sk-"],
    ["begins of tokens", "eyJ"],
    ["begins of tokens with dots", ".eyJ.eyJa"],
    ["first lines", "-----BEGIN PRIVATE KEY-----"],
    ["first lines and base64", "-----BEGIN PRIVATE KEY-----\nAAAAAAAAAAAAAAAAAAAA\n"],
    ["assignments", "password="],
    ["signs", ":"],
    ["URLs", "://a:"],
    ["URLs with passwords", "://a:b@c"],
    ["one word", "a"],
    ["hints", "AKIA "],
    ["dashes", "-"],
    ["Discord's form", "MAAAAAAAAAAAAAAAAAAAAAAA."],
  ])("grows with the text only, for 1 MiB of %s", (_name, unit) => {
    const find = secretFinder({ kinds: new Set(secretKinds), allowed: new Set(), minBits: 3 });
    const cpuMsOf = (units: number): number => {
      const text = unit.repeat(Math.ceil(units / unit.length));
      const startedAt = process.threadCpuUsage().user;
      find(text);
      return (process.threadCpuUsage().user - startedAt) / 1_000;
    };
    cpuMsOf(65_536);
    expect(cpuMsOf(1_048_576)).toBeLessThan(128 * Math.max(cpuMsOf(65_536), 20));
  });
});

function found(text: string, config: object = {}): [kind: string, text: string][] {
  const { kinds, allow, minBits } = secrets.config.parse(config);
  const find = secretFinder({ kinds: new Set(kinds ?? secretKinds), allowed: new Set(allow), minBits });
  return find(text).map(({ kind, start, end }) => [kind, text.slice(start, end)]);
}

function redacted(text: string): string {
  const judged = verdict({}, text);
  return "edits" in judged ? edited(text, judged.edits) : text;
}

function verdict(config: object, text: string) {
  const span: TextSpan = { place: "messages[0].content", text, author: "user" };
  return secrets.compile(secrets.config.parse(config), buildTools()).inspect([span], "request", guardedCall());
}
