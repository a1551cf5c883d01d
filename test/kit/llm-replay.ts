import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { MockUpstream, Respond, SeenRequest } from "./mock-upstream.ts";
import { startMockUpstream } from "./mock-upstream.ts";

/** The upstreams of the matrix, by the first step of their path at the replay. */
export const upstreams = [
  "openai",
  "azure-openai",
  "anthropic",
  "gemini",
  "vertex",
  "vertex-claude",
  "bedrock",
  "mistral",
  "ollama",
] as const;

export type UpstreamId = (typeof upstreams)[number];

/** A far end that answers like the providers do, from `test/fixtures/llm`. */
export interface LlmReplay extends AsyncDisposable {
  readonly upstream: MockUpstream;
  /** What all of them answer from now on: the name of a fixture, with the status that it comes with. */
  answer(name: string, status?: number): void;
  /** The same with bytes that no provider of ours has written. */
  answerWith(status: number, contentType: string, body: string): void;
  /** Answers from the fixtures again, after a test has told `upstream` what to do. */
  restore(): void;
  /** The bytes of a fixture as they are sent, uncut; undefined where the provider has none of that name. */
  bytes(upstream: UpstreamId, name: string, stream: boolean, isResponses?: boolean): Buffer | undefined;
}

/** Starts one on a free loopback port. Each stream is cut at other places, the same ones in every run. */
export async function startLlmReplay(): Promise<LlmReplay> {
  let next: { name: string; status: number } | { contentType: string; body: string; status: number };
  next = { name: "text", status: 200 };
  const random = randomOf(20_261_123);
  const replay: Respond = async (request, response) => {
    if (request.url === "/token") {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ access_token: "ya29.token", expires_in: 3_600, token_type: "Bearer" }));
      return;
    }
    if ("body" in next) {
      response.writeHead(next.status, { "content-type": next.contentType });
      response.end(next.body);
      return;
    }
    const from = upstreamOf(request);
    const stream = next.status === 200 && isStream(request);
    const isResponses = request.url.endsWith("/responses");
    const found = bytesOf(from, next.name, stream, isResponses) ?? bytesOf(from, "text", stream, isResponses);
    const type = from === "bedrock" ? "application/vnd.amazon.eventstream" : "text/event-stream; charset=utf-8";
    response.writeHead(next.status, { "content-type": stream ? type : "application/json" });
    for (const piece of cut(found ?? Buffer.alloc(0), stream ? random : undefined)) {
      response.write(piece);
      await new Promise(setImmediate);
    }
    response.end();
  };
  const upstream = await startMockUpstream(replay);
  return {
    upstream,
    answer(name, status = 200) {
      next = { name, status };
    },
    answerWith(status, contentType, body) {
      next = { status, contentType, body };
    },
    restore: () => upstream.respond(replay),
    bytes: bytesOf,
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  };
}

function upstreamOf({ url }: SeenRequest): UpstreamId {
  const name = url.split("/", 2)[1];
  return upstreams.find((each) => each === name) ?? "openai";
}

function isStream({ url, body }: SeenRequest): boolean {
  if (/converse-stream|streamGenerateContent/.test(url)) return true;
  return /"stream":\s*true/.test(body.toString("utf8"));
}

const folder = join(import.meta.dirname, "..", "fixtures", "llm");
const folders: Partial<Record<UpstreamId, readonly string[]>> = {
  "azure-openai": ["azure-openai", "openai"],
  vertex: ["gemini"],
  "vertex-claude": ["anthropic"],
};

function bytesOf(upstream: UpstreamId, name: string, stream: boolean, isResponses = false): Buffer | undefined {
  const extension = stream ? (upstream === "bedrock" ? "jsonl" : "sse") : "json";
  const error = name.startsWith("error-");
  const places = isResponses && !error ? ["openai-responses"] : (folders[upstream] ?? [upstream]);
  const path = places.map((place) => join(folder, place, `${name}.${extension}`)).find((each) => existsSync(each));
  if (path === undefined) return undefined;
  const bytes = readFileSync(path);
  return extension === "jsonl" ? Buffer.concat(bytes.toString("utf8").trim().split("\n").map(awsMessage)) : bytes;
}

/** One event of AWS's binary stream. */
function awsMessage(line: string): Buffer {
  const [event, data] = JSON.parse(line) as [string, unknown]; // as the fixtures are written
  const header = (name: string, value: string): Buffer => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(Buffer.byteLength(value));
    return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([7]), length, Buffer.from(value)]);
  };
  const headers = Buffer.concat([
    header(":event-type", event),
    header(":content-type", "application/json"),
    header(":message-type", "event"),
  ]);
  const payload = Buffer.from(JSON.stringify(data));
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(headers.length + payload.length + 16, 0);
  prelude.writeUInt32BE(headers.length, 4);
  const sum = (bytes: Buffer): Buffer => {
    const made = Buffer.alloc(4);
    made.writeUInt32BE(crc32(bytes));
    return made;
  };
  const begun = Buffer.concat([prelude, sum(prelude), headers, payload]);
  return Buffer.concat([begun, sum(begun)]);
}

/** The bytes in up to a dozen pieces, cut inside of events, of characters and of line ends. */
function cut(bytes: Buffer, random: (() => number) | undefined): readonly Buffer[] {
  if (random === undefined) return [bytes];
  const places = Array.from({ length: 11 }, () => Math.floor(random() * bytes.length)).toSorted((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
