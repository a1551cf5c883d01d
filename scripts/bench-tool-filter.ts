// `npm run bench:tool-filter`: what it adds to a chat request with 200 tools to choose ten of them. Exits 1 when that is
// more than 0.5 ms at the median, on a machine like the one that the bar is written for; the bar is scaled for others.
import { calibrate } from "../bench/calibration.ts";
import { startTestGatehouse } from "../test/kit/gatehouse.ts";
import { manyTools } from "../test/kit/many-tools.ts";
import { chatAnswer, startMockUpstream } from "../test/kit/mock-upstream.ts";
import { rawHttp } from "../test/kit/raw-http.ts";

const tools = 200;
const rounds = 500;
const warmUp = 100;
const { factor } = calibrate();
const barMs = 0.5 * factor;

await using owned = new AsyncDisposableStack();
const upstream = owned.use(await startMockUpstream(chatAnswer("hello")));
const gatehouse = owned.use(await startTestGatehouse());
const apis = {
  plain: await gatehouse.llm("plain", `${upstream.url}/v1`),
  filtered: await gatehouse.llm("filtered", `${upstream.url}/v1`, { policies: [{ use: "semantic-tool-filter" }] }),
};
const body = JSON.stringify({
  model: "m",
  messages: [{ role: "user", content: "Please cancel my flight to Rome and book a hotel." }],
  tools: manyTools(tools).map((tool) => ({ type: "function", function: tool })),
});

const took: Record<string, number[]> = { plain: [], filtered: [] };
/** Of all that one request makes this process do, its client and its upstream too: what a busy machine moves less. */
const worked: Record<string, number[]> = { plain: [], filtered: [] };
for (let round = 0; round < warmUp + rounds; round += 1) {
  for (const [name, { url, key }] of Object.entries(apis)) {
    const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
    const before = process.cpuUsage();
    const began = performance.now();
    const { status } = await rawHttp(`${url}/chat/completions`, { headers, body });
    if (status !== 200) throw new Error(`${name} answered ${status}`);
    const tookMs = performance.now() - began;
    const { user, system } = process.cpuUsage(before);
    if (round < warmUp) continue;
    took[name]?.push(tookMs);
    worked[name]?.push((user + system) / 1_000);
  }
}
const median = (times: readonly number[] = []): number => times.toSorted((a, b) => a - b)[rounds / 2] ?? 0;
const added = median(took["filtered"]) - median(took["plain"]);
console.log(`a chat request with ${tools} tools (${body.length} bytes), ${rounds} times each, in turn`);
console.log(`  as it is    p50 ${median(took["plain"]).toFixed(3)} ms`);
console.log(`  filtered    p50 ${median(took["filtered"]).toFixed(3)} ms`);
console.log(
  `  added       p50 ${added.toFixed(3)} ms, bar ${barMs.toFixed(3)} ms (0.5 ms on a machine ${factor.toFixed(2)} times faster)`,
);
const work = median(worked["filtered"]) - median(worked["plain"]);
console.log(`  processor   p50 ${work.toFixed(3)} ms added`);
if (added > barMs) process.exitCode = 1;
