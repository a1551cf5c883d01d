// `npm run conformance`: the official MCP suites against the gateway. Exits 1 when a bar is missed, and says which.
import { clientsAreInstalled, setup } from "../test/clients/install-clients.ts";
import { startConformanceTarget } from "../test/conformance/conformance-target.ts";
import { runSuite, suites } from "../test/conformance/run-suite.ts";

await setup();
if (clientsAreInstalled()) await main();
else {
  console.error("The suites could not be installed; is the package registry within reach?");
  process.exitCode = 1;
}

async function main(): Promise<void> {
  await using target = await startConformanceTarget();
  const rows: (readonly string[])[] = [["suite", "passed", "failed", "bar", "run twice"]];
  const faults: string[] = [];
  for (const suite of suites) {
    const { passed, failed, repeated, faults: own, output } = await runSuite(suite, target.url);
    rows.push([suite.name, `${passed}`, `${failed}`, `${suite.bar}/0`, repeated.join(", ") || "-"]);
    faults.push(...own.map((fault) => `${suite.name}: ${fault}`));
    if (own.length > 0 && process.argv.includes("--verbose")) console.error(output);
  }
  for (const row of rows) console.log(row.map((cell, at) => cell.padEnd(at === 0 ? 28 : 8)).join("  "));
  for (const fault of faults) console.error(`bar missed: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}
