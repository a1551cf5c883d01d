import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createUser } from "../../src/core/users.ts";
import { clientFile } from "../clients/install-clients.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../kit/gatehouse.ts";
import { clientGaps } from "./client-expected.ts";
import { readSummary } from "./run-suite.ts";
import type { ThroughGateway } from "./through-gateway-setting.ts";
import { settingVariable } from "./through-gateway-setting.ts";

const password = "correct horse battery staple";
/** Checks that pass in all; an upstream that is never reached fails few of them. */
const bar = 580;
const limitMs = 300_000;

let gatehouse: TestGatehouse;
let setting: ThroughGateway;

beforeAll(async () => {
  gatehouse = await startTestGatehouse({ "network.allowCidrs": "127.0.0.0/8,::1/128" });
  const { context, gatewayUrl, controlUrl, adminToken } = gatehouse.running;
  await gatehouse.put("Application", "suite", {});
  await createUser(context, testActor, { metadata: { name: "ada" }, spec: { roles: ["admin"] }, password });
  setting = { controlUrl, gatewayUrl, adminToken, application: "suite", user: "ada", password };
});

afterAll(() => gatehouse[Symbol.asyncDispose]());

test(
  "the official suite's client scenarios pass through the gateway, all but those that are listed with a reason",
  async () => {
    const scenarios = readSummary(await runClientSuite());
    expect(scenarios.length).toBeGreaterThan(40);
    const failed = scenarios
      .filter((scenario) => scenario.failed > 0)
      .map(({ name, failed: checks }) => ({ name, checks }));
    expect(failed).toEqual(clientGaps.map(({ scenario, checks }) => ({ name: scenario, checks })));
    const passed = scenarios.reduce((sum, scenario) => sum + scenario.passed, 0);
    expect(passed).toBeGreaterThanOrEqual(bar);
  },
  limitMs,
);

function runClientSuite(): Promise<string> {
  const script = join(import.meta.dirname, "through-gateway.ts");
  const args = ["client", "--command", `${process.execPath} ${script}`, "--suite", "all", "--timeout", "60000"];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [clientFile("conformance-next/dist/index.js"), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: limitMs - 10_000,
      env: { ...process.env, [settingVariable]: JSON.stringify(setting) },
    });
    let output = "";
    const keep = (chunk: Buffer): void => {
      output += chunk.toString("utf8");
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}
