import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { createRulesetEvaluator } from "../src/governance/create-ruleset-evaluator.ts";
import { createSpectralChild } from "../src/governance/spectral-child.ts";
import { systemClock } from "../src/kernel/clock.ts";
import { clientsAreInstalled, setup } from "../test/clients/install-clients.ts";
import { largeDescription } from "./rules/large-description.ts";
import { median } from "./statistics.ts";

// What the evaluation of a large OpenAPI document costs, warm, beside spectral-cli's own: ours with the way to its process
// and back, its answer checked; theirs timed inside, without reading the file or printing. They take turns. Ends with 1
// when the bar was missed.

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    operations: { type: "string", default: "300" },
    rounds: { type: "string" },
    seed: { type: "string", default: "1" },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 5 : 25));
/** Evaluations before any is counted: both are slow until their code is compiled. */
const warmUps = values.quick ? 3 : 10;
const most = 1.5;
const mostStartMs = 1_000;
const rulesets = ["spectral:oas", "@stoplight/spectral-owasp-ruleset"];

await setup();
if (!clientsAreInstalled()) throw new Error("test/clients is not installed, and spectral-cli with it");
const [loadAverage = 0] = loadavg();
const text = largeDescription(Number(values.operations), Number(values.seed));
await using opened = new AsyncDisposableStack();
const evaluator = opened.use(
  createRulesetEvaluator({
    clock: systemClock,
    log: { debug: () => {}, info: () => {}, warn: console.warn, error: console.error },
    startChild: () => createSpectralChild({ clock: systemClock, priority: "usual" }),
  }),
);
// Where packages of the product are found, as by whoever has installed them beside a ruleset.
const folder = join(import.meta.dirname, "../node_modules/.cache/bench-lint");
await mkdir(folder, { recursive: true });
opened.defer(() => rm(folder, { recursive: true, force: true }));
const theirs = fork(join(import.meta.dirname, "rules/spectral-cli-child.ts"));
opened.defer(() => void theirs.kill());

const starts = await startsOfCommand();
const lines: Awaited<ReturnType<typeof compare>>[] = [];
for (const name of rulesets) lines.push(await compare(name));
const page = report();
console.log(`\n${page}`);
const results = values.quick ? await mkdtemp(join(tmpdir(), "gatehouse-bench-")) : join(import.meta.dirname, "results");
await mkdir(results, { recursive: true });
await writeFile(join(results, "lint.md"), page);
console.log(`written to ${join(results, "lint.md")}`);
const missed = lines.filter(({ ratio }) => !(ratio <= most));
for (const { name, ratio } of missed) console.log(`missed: ${name}: at most ${most} times: ${ratio.toFixed(2)}`);
const slow = starts.filter(({ wallMs }) => !(wallMs <= mostStartMs));
for (const { what, wallMs } of slow)
  console.log(`missed: the command on ${what}: at most 1 s: ${wallMs.toFixed(0)} ms`);
if (missed.length + slow.length > 0) process.exitCode = 1;

/** The command from its start to its end on small files, its processes' times of the processor added up by the shell. */
async function startsOfCommand() {
  const root = join(import.meta.dirname, "..");
  const small = join(folder, "small.yaml");
  await writeFile(small, 'openapi: 3.0.3\ninfo: { title: Quays, version: "1" }\npaths: {}\n');
  const found: { readonly what: string; readonly wallMs: number; readonly cpuMs: number }[] = [];
  const files = { "a small description": small, "a small resource": join(root, "examples/llm-provider.yaml") };
  for (const [what, file] of Object.entries(files)) {
    const walls: number[] = [];
    const cpus: number[] = [];
    for (let round = -1; round < (values.quick ? 3 : 9); round += 1) {
      const startedMs = performance.now();
      const line = `"${process.execPath}" bin/gatehouse.cjs lint "${file}" > /dev/null; times`;
      const { stdout } = await promisify(execFile)("sh", ["-c", line], { cwd: root });
      if (round < 0) continue; // the first fills the cache of compiled code
      walls.push(performance.now() - startedMs);
      cpus.push(childMs(stdout));
    }
    found.push({ what, wallMs: median(walls), cpuMs: median(cpus) });
    console.log(`the command on ${what}: ${median(walls).toFixed(0)} ms, ${median(cpus).toFixed(0)} ms of processor`);
  }
  return found;
}

/** Of what `times` prints, `0m0.5s 0m0.1s` for the shell and then for its children. */
function childMs(printed: string): number {
  const [, , user = 0, system = 0] = [...printed.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => (Number(minutes) * 60 + Number(seconds)) * 1_000,
  );
  return user + system;
}

async function compare(name: string) {
  const file = join(folder, `${name.replaceAll(/\W+/g, "-")}.json`);
  await writeFile(file, JSON.stringify({ extends: [name] }));
  const measured = { ours: [] as number[], theirs: [] as number[] };
  let findings = 0;
  for (let round = -warmUps; round < rounds; round += 1) {
    const our = await evaluateOurs(name);
    const their = await evaluateTheirs(file);
    // A time is worth nothing where less was looked at.
    if (our.findings === 0 || our.findings !== their.findings) {
      throw new Error(`${name}: ${our.findings} findings of ours, ${their.findings} of theirs`);
    }
    findings = our.findings;
    if (round < 0) continue;
    measured.ours.push(our.ms);
    measured.theirs.push(their.ms);
  }
  const [oursMs, theirsMs] = [median(measured.ours), median(measured.theirs)];
  console.log(`${name}: ours ${oursMs.toFixed(0)} ms, theirs ${theirsMs.toFixed(0)} ms`);
  return { name, findings, oursMs, theirsMs, ratio: oursMs / theirsMs };
}

async function evaluateOurs(name: string) {
  const startedMs = performance.now();
  const { findings } = await evaluator.evaluate({
    bundle: { name, ruleset: { extends: [name] }, extended: {} },
    document: { text, source: "api.json" },
    timeoutMs: 120_000,
  });
  return { ms: performance.now() - startedMs, findings: findings.length };
}

async function evaluateTheirs(ruleset: string) {
  const answer = once(theirs, "message");
  theirs.send({ text, ruleset });
  const [measured] = (await answer) as [{ readonly ms: number; readonly findings: number }]; // rules/spectral-cli-child.ts
  return measured;
}

function report(): string {
  const [cpu] = cpus();
  const rows = lines.map(
    ({ name, findings, oursMs, theirsMs, ratio }) =>
      `| ${name} | ${findings} | ${oursMs.toFixed(0)} | ${theirsMs.toFixed(0)} | ${ratio.toFixed(2)} (${most}) |`,
  );
  const busy =
    loadAverage > 0.5
      ? `\nTHE MACHINE WAS BUSY (load average ${loadAverage.toFixed(1)}): these figures are noise.\n`
      : "";
  return `# Evaluation of a large document, ${new Date().toISOString()}

${cpus().length} x ${cpu?.model.trim() ?? "unknown processor"}; Node ${process.versions.node}. OpenAPI 3.0, ${values.operations} operations, ${text.length} bytes, seed ${values.seed};
warm, medians of ${rounds} rounds in turn.
${busy}
| ruleset | findings | ours, ms | spectral-cli's own, ms | ratio (bar) |
| --- | --: | --: | --: | --: |
${rows.join("\n")}

The command \`gatehouse lint\`, from its start to its end; medians. The bar: 1 s.

| on | ms | of processor, ms |
| --- | --: | --: |
${starts.map(({ what, wallMs, cpuMs }) => `| ${what} | ${wallMs.toFixed(0)} | ${cpuMs.toFixed(0)} |`).join("\n")}
`;
}
