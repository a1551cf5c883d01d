// `npm run bench:telemetry`: the processor time of a request with traces sent to a collector, at several shares of traces that
// are kept, against that without telemetry. All gateways are in this process; who calls, the upstream and the collector are in
// another. Times of the processor, in turns, so that other work on the machine shifts the ratios little.
import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { startTestGatehouse } from "../test/kit/gatehouse.ts";

const rounds = 9;
const requests = 2_000;
const connections = 8;
const shares = [undefined, 0, 0.1, 1] as const;
/** Spans are sent a second after the first of them. */
const settleMs = 1_500;

interface Load {
  readonly url: string;
  readonly key: string;
}

if (process.argv[2] === "far") await farEnd();
else await measure();

async function measure(): Promise<void> {
  await using owned = new AsyncDisposableStack();
  const far = fork(import.meta.filename, ["far"]);
  owned.defer(() => void far.kill());
  const [{ port }] = (await once(far, "message")) as [{ port: number }]; // what `farEnd` says first
  const endpoint = `http://127.0.0.1:${port}`;
  const loads: Load[] = [];
  for (const share of shares) {
    const telemetry =
      share === undefined ? {} : { "telemetry.endpoint": endpoint, "telemetry.sampleRatio": String(share) };
    const gatehouse = owned.use(await startTestGatehouse({ logLevel: "error", ...telemetry }));
    loads.push(await gatehouse.llm("chat", `${endpoint}/v1`));
  }
  const times = shares.map((): number[] => []);
  for (let round = -2; round < rounds; round += 1) {
    for (const [place, load] of loads.entries()) {
      const before = process.cpuUsage();
      far.send(load);
      await once(far, "message");
      await setTimeout(settleMs);
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) times[place]?.push((user + system) / requests);
    }
  }
  const of = (each: readonly number[], share: number): number =>
    each.toSorted((left, right) => left - right)[Math.floor(each.length * share)] ?? 0;
  for (const [place, share] of shares.entries()) {
    const [own = [], none = []] = [times[place], times[0]];
    const name = share === undefined ? "no telemetry" : `${share * 100} % of traces`;
    const [least, median] = [of(own, 0) / of(none, 0), of(own, 0.5) / of(none, 0.5)];
    console.log(
      `${name.padEnd(16)} ${of(own, 0).toFixed(0).padStart(4)} µs a request at best (${least.toFixed(2)}), median ${of(own, 0.5).toFixed(0).padStart(4)} (${median.toFixed(2)})`,
    );
  }
}

/** Upstream, collector and callers. */
async function farEnd(): Promise<void> {
  const answer = JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content: "Hello." }, finish_reason: "stop" }],
    usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
  });
  const server = createServer((incoming, response) => {
    incoming.resume().once("end", () => {
      response.setHeader("content-type", "application/json");
      response.end(incoming.url?.startsWith("/v1/chat") === true ? answer : "{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  process.send?.({ port: (server.address() as AddressInfo).port }); // it listens on TCP
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  process.on("message", (load) => {
    void callAll(load as Load, agent).then(() => process.send?.("done")); // what `measure` sends
  });
}

async function callAll({ url, key }: Load, agent: Agent): Promise<void> {
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hello?" }] });
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const one = async (): Promise<void> => {
    const call = request(`${url}/chat/completions`, { method: "POST", agent, headers });
    call.end(body);
    const [response] = (await once(call, "response")) as [NodeJS.ReadableStream & { statusCode: number }]; // what a request answers
    if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`);
    response.resume();
    await once(response, "end");
  };
  let left = requests;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: connections }, worker));
}
