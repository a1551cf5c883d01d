import type { ChildProcessByStdio } from "node:child_process";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import type { Readable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientFile, clientsAreInstalled } from "../clients/install-clients.ts";
import type { AuthGatehouse } from "../identity/resident/auth-kit.ts";
import { agree, startAuthGatehouse } from "../identity/resident/auth-kit.ts";
import { createBrowser } from "../identity/resident/browser.ts";

let at: AuthGatehouse;

beforeAll(async () => {
  at = await startAuthGatehouse();
});

afterAll(() => at[Symbol.asyncDispose]());

// Where the whole check runs, a suite that is not there is a failure and not one test less.
const runs = clientsAreInstalled() || process.env["CI"] !== undefined;

describe.skipIf(!runs)("the official suite's authorization scenarios", () => {
  test("pass against the resident key manager", async () => {
    const port = await freePort();
    // A public one: where the metadata names the method `none`, the suite uses it and leaves a secret out.
    const made = await at.client({
      tokenEndpointAuthMethod: "none",
      grantTypes: ["authorization_code", "refresh_token"],
      redirectUris: [`http://127.0.0.1:${port}/callback`],
    });
    const target = ["--url", at.issuer, "--client-id", made.clientId];
    const output = await runSuite([...target, "--resource", at.chat, "--port", String(port)]);
    expect(output).toContain("authorization-server-metadata-endpoint");
    expect(output).toContain("authorization-code-grant");
    expect(output).not.toMatch(/[1-9]\d* failed|FAILURE|✗/);
    expect(output).toMatch(/[1-9]\d* passed/);
  });
});

const limitMs = 60_000;

/** Runs the suite; where it asks for a person, a browser opens the address that it prints. */
function runSuite(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child: ChildProcessByStdio<null, Readable, Readable> = spawn(
      process.execPath,
      [clientFile("conformance-next/dist/index.js"), "authorization", ...args],
      { stdio: ["ignore", "pipe", "pipe"], timeout: limitMs },
    );
    let output = "";
    let opened = false;
    const keep = (chunk: Buffer): void => {
      output += stripVTControlCharacters(chunk.toString("utf8"));
      const asked = /(http:\/\/\S+\/authorize\?\S+)\s/.exec(output)?.[1];
      if (asked === undefined || opened) return;
      opened = true;
      agree(createBrowser(new URL(at.issuer).origin), asked)
        .then(async ({ redirect, html }) => {
          if (redirect === undefined) throw new Error(`no redirect: ${html}`);
          await (await fetch(redirect)).text();
        })
        .catch(reject);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
