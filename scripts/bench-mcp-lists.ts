// `npm run bench:mcp-lists`: what it costs to cut the list of a virtual server of 5 x 100 tools to what its caller may
// use. Exits 1 when that is more than 2 ms at the median.
import { startSmallServer } from "../test/gateway/mcp/virtual/small-server.ts";
import { startTestGatehouse } from "../test/kit/gatehouse.ts";
import { rawHttp } from "../test/kit/raw-http.ts";

const servers = 5;
const toolsEach = 100;
const rounds = 300;
const warmUp = 50;
const barMs = 2;

await using owned = new AsyncDisposableStack();
const gatehouse = owned.use(await startTestGatehouse());
const parts: { readonly server: string }[] = [];
for (let at = 0; at < servers; at += 1) {
  const tools = Array.from({ length: toolsEach }, (_, tool) => `tool_${tool}`);
  const small = owned.use(await startSmallServer(`part${at}`, tools));
  const upstream = { production: { url: small.url, era: "modern" }, sandbox: { sameAs: "production" } };
  await gatehouse.put("McpServer", `part${at}`, { context: `/part${at}`, upstream });
  parts.push({ server: `part${at}` });
}
const virtual = { servers: parts, keepMs: 3_600_000 };
const rules = [
  { on: { tools: ["*_tool_*7"] }, applications: ["nobody"] },
  { on: { tools: ["part1_*", "part3_tool_1*"] }, keyTypes: ["production"] },
  { on: { tools: ["part4_*"] }, when: 'principal.environment == "sandbox"' },
];
const plain = await published("plain", {});
const filtered = await published("filtered", { authorization: { rules } });

const took = { plain: [] as number[], filtered: [] as number[] };
for (let round = 0; round < warmUp + rounds; round += 1) {
  for (const [name, list] of Object.entries({ plain, filtered })) {
    const began = performance.now();
    await list();
    if (round >= warmUp) took[name as keyof typeof took].push(performance.now() - began); // these two are its members
  }
}
const [all, some] = [await plain(), await filtered()];
const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
const added = median(took.filtered) - median(took.plain);
console.log(`tools/list of ${servers} x ${toolsEach} tools, ${rounds} times each, in turn`);
console.log(`  as it is             p50 ${median(took.plain).toFixed(2)} ms, ${all} tools`);
console.log(`  cut for the caller   p50 ${median(took.filtered).toFixed(2)} ms, ${some} tools`);
console.log(`  added                p50 ${added.toFixed(2)} ms, at most ${barMs} allowed`);
if (all !== servers * toolsEach || some >= all || some === 0) throw new Error("the lists are not what they must be");
if (added > barMs) process.exitCode = 1;

/** Lists the tools of a server over HTTP, and says how many there are. */
async function published(name: string, spec: object): Promise<() => Promise<number>> {
  await gatehouse.put("McpServer", name, { context: `/${name}`, virtual, ...spec });
  const key = await gatehouse.key(name, { api: { kind: "McpServer", name } });
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta: meta } });
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/list",
  };
  return async () => {
    const answer = await rawHttp(`${gatehouse.running.gatewayUrl}/${name}/mcp`, { headers, body });
    const { result } = answer.json() as { result?: { tools: readonly unknown[] } }; // a list, or the count below tells
    return result?.tools.length ?? 0;
  };
}
