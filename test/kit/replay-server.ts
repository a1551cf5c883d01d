import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that is expected, and what it is answered with. `undefined` members are not looked at. */
export interface Turn {
  readonly method?: string;
  /** Path and query. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON that must be equal, or a form's text. */
  readonly body?: unknown;
  readonly status?: number;
  readonly answer?: unknown;
  readonly answerHeaders?: Readonly<Record<string, string>>;
}

/** A server that answers as was recorded, and notes what it was asked. */
export interface ReplayServer extends AsyncDisposable {
  readonly url: string;
  /** Each request as a turn would expect it. */
  readonly asked: { method: string; url: string; headers: Record<string, unknown>; body: unknown }[];
  /** The next answers, in order; `{url}` in them is this server's own. When they are used up, it answers 404. */
  play(turns: readonly Turn[]): void;
  /** What was played and not asked for. */
  readonly left: number;
}

/** Starts one on a free port of this machine. */
export async function startReplayServer(): Promise<ReplayServer> {
  const asked: ReplayServer["asked"] = [];
  let turns: Turn[] = [];
  let url = "";
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const isJson = (request.headers["content-type"] ?? "").includes("json");
      const body: unknown = text === "" ? undefined : isJson ? JSON.parse(text) : text;
      asked.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
      const turn = turns.shift();
      const {
        status = 200,
        answer,
        answerHeaders = {},
      } = turn ?? { status: 404, answer: { error: "nothing recorded" } };
      const own = (value: string): string => value.replaceAll("{url}", url);
      const headers = Object.fromEntries(Object.entries(answerHeaders).map(([name, value]) => [name, own(value)]));
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(answer === undefined ? "" : own(JSON.stringify(answer)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server that listens has one
  return {
    url,
    asked,
    play(next) {
      turns = [...next];
      asked.length = 0;
    },
    get left() {
      return turns.length;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
