import type { Answered, HttpConnection } from "./http-connection.ts";
import { openHttpConnection, requestBytes } from "./http-connection.ts";
import type { LoadOrder, LoadResult } from "./load-order.ts";

// One measurement in a process of its own: the order comes as JSON in the first argument, the result goes out as JSON.

const order = JSON.parse(process.argv[2] ?? "") as LoadOrder; // written by run-load.ts
process.stdout.write(`${JSON.stringify(await run(order))}\n`);

async function run({
  url,
  headers,
  body,
  connections,
  requests,
  seconds,
  perSecond,
  staggerMs = 0,
  warmUps = 0,
}: LoadOrder): Promise<LoadResult> {
  const target = new URL(url);
  const bytes = requestBytes(target, headers, body);
  const open = await Promise.all(Array.from({ length: connections }, () => openHttpConnection(target, bytes)));
  // The client's own code is slow until it is compiled, and that is nobody's lane.
  for (let at = 0; at < warmUps; at += 1) await open[0]?.exchange();
  const wholeUs: number[] = [];
  const firstByteUs: number[] = [];
  let errors = 0;
  let taken = 0;
  const startedMs = performance.now();
  const endMs = seconds === undefined ? Number.POSITIVE_INFINITY : startedMs + seconds * 1_000;
  const take = (): boolean => {
    taken += 1;
    return taken <= (requests ?? Number.POSITIVE_INFINITY) && performance.now() < endMs;
  };
  const note = ({ status, wholeMs, firstByteMs }: Answered): void => {
    if (status !== 200) errors += 1;
    wholeUs.push(Math.round(wholeMs * 1_000));
    firstByteUs.push(Math.round(firstByteMs * 1_000));
  };
  const work = async (connection: HttpConnection, at: number): Promise<void> => {
    if (staggerMs > 0) await new Promise((resolve) => setTimeout(resolve, (staggerMs * at) / connections));
    const everyMs = perSecond === undefined ? 0 : (connections * 1_000) / perSecond;
    let dueMs = performance.now() + (everyMs * at) / connections;
    while (take()) {
      const earlyMs = everyMs === 0 ? 0 : dueMs - performance.now();
      if (earlyMs > 0) await new Promise((resolve) => setTimeout(resolve, earlyMs));
      dueMs += everyMs;
      const answered = await connection.exchange().catch(() => undefined);
      if (answered !== undefined) note(answered);
      else {
        errors += 1;
        return;
      }
    }
  };
  await Promise.all(open.map(work));
  const elapsedMs = performance.now() - startedMs;
  for (const connection of open) connection.close();
  return { requests: wholeUs.length, errors, elapsedMs, wholeUs, firstByteUs };
}
