import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import type { ClientHttp2Session } from "node:http2";
import { connect } from "node:http2";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually } from "../kit/eventually.ts";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, startMockUpstream } from "../kit/mock-upstream.ts";

let directory: string;
let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let api: TestApi;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "gatehouse-tls-"));
  makeCertificate("first");
  upstream = await startMockUpstream();
  const files = { "tls.certFile": join(directory, "cert.pem"), "tls.keyFile": join(directory, "key.pem") };
  gatehouse = await startTestGatehouse(files);
  api = await gatehouse.llm("chat", `${upstream.url}/v1`);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

beforeEach(() => upstream.respond(chatAnswer("Hello.")));

/** A certificate of that name in place of the one before, as certificate tools do it: written beside, then renamed. */
function makeCertificate(name: string): void {
  const [key, cert] = [join(directory, "new-key.pem"), join(directory, "new-cert.pem")];
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
  const options = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
  execFileSync("openssl", [...options, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
  renameSync(key, join(directory, "key.pem"));
  renameSync(cert, join(directory, "cert.pem"));
}

const ca = () => readFileSync(join(directory, "cert.pem"));

function session(): ClientHttp2Session & AsyncDisposable {
  const opened = connect(new URL(api.url).origin, { ca: ca() });
  opened.on("error", () => {});
  return Object.assign(opened, { [Symbol.asyncDispose]: async () => opened.destroy() });
}

interface H2Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

function start(client: ClientHttp2Session, body: string, key = api.key) {
  const stream = client.request({
    ":method": "POST",
    ":path": "/chat/v1/chat/completions",
    "content-type": "application/json",
    authorization: `Bearer ${key}`,
  });
  stream.end(body);
  return stream;
}

function finish(stream: ReturnType<typeof start>): Promise<H2Answer> {
  return new Promise((resolve, reject) => {
    let headers: Record<string, unknown> = {};
    let text = "";
    stream.setEncoding("utf8");
    stream.on("response", (received) => {
      headers = received;
    });
    stream.on("data", (piece: string) => {
      text += piece;
    });
    stream.on("error", reject);
    stream.on("end", () => resolve({ status: Number(headers[":status"]), headers, text }));
  });
}

const ask = (client: ClientHttp2Session, body: string, key?: string) => finish(start(client, body, key));

test("requests and streams of one connection run side by side", async () => {
  await using client = session();
  upstream.respond(chatAnswer("Hello."), events([chunk({ content: "a" }), chunk({}, { finish: "stop" }), done]));
  const [whole, stream] = await Promise.all([ask(client, '{"model":"m"}'), ask(client, '{"model":"m","stream":true}')]);
  const texts = [whole.text, stream.text].toSorted();
  expect([whole.status, stream.status]).toEqual([200, 200]);
  expect(texts[0]).toContain("[DONE]");
  expect(texts[1]).toContain("Hello.");
  expect((await gatehouse.events()).find(({ type }) => type === "exchange")).toMatchObject({ protocol: "HTTP/2" });
});

test("refusals have their status and their error object, also before the body is read", async () => {
  await using client = session();
  const answers = await Promise.all([ask(client, '{"model":7}'), ask(client, "x".repeat(3_000_000), "wrong")]);
  expect(answers.map(({ status }) => status)).toEqual([400, 401]);
  expect(JSON.parse(answers[1].text)).toMatchObject({ error: { code: "invalid_api_key" } });
  expect((await ask(client, '{"model":"m"}')).status).toBe(200);
});

test.each([
  ["a stream", true],
  ["a waiting call", false],
])("a client's reset of %s reaches the upstream within 100 ms, and the connection goes on", async (_name, stream) => {
  await using client = session();
  const before = upstream.seen.length;
  upstream.respond((_request, response) => {
    if (stream) response.writeHead(200, { "content-type": "text/event-stream" }).write(chunk({ content: "a" }));
  });
  const call = start(client, JSON.stringify({ model: "m", stream }));
  call.on("error", () => {});
  if (stream) await new Promise((resolve) => call.once("data", resolve));
  else await eventually("the upstream has the request", () => upstream.seen.length > before);
  const leftAt = performance.now();
  call.close(8); // CANCEL
  await upstream.seen.at(-1)?.aborted;
  expect(performance.now() - leftAt).toBeLessThan(100);
  upstream.respond(chatAnswer("Hello."));
  expect((await ask(client, '{"model":"m"}')).status).toBe(200);
});

test("HTTP/1.1 is spoken where the client speaks no HTTP/2", async () => {
  const status = await new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
    const call = request(`${api.url}/chat/completions`, { method: "POST", headers, ca: ca() }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.on("error", reject);
    call.end('{"model":"m"}');
  });
  expect(status).toBe(200);
});

test("a new certificate is used for new connections, and the old ones go on", async () => {
  await using client = session();
  expect((await ask(client, '{"model":"m"}')).status).toBe(200);
  makeCertificate("second");
  const nameShown = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const { port } = new URL(api.url);
      const socket = connectTls({ host: "127.0.0.1", port: Number(port), rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      });
      socket.on("error", reject);
    });
  await eventually("the new certificate is shown", async () => (await nameShown()) === "second", 4_000);
  expect((await ask(client, '{"model":"m"}')).status).toBe(200);
});

test("a process that is asked to stop lets a stream end and does not wait for idle connections", async () => {
  await using idle = session();
  await using client = session();
  expect((await ask(idle, '{"model":"m"}')).status).toBe(200);
  let goOn = (): void => {};
  upstream.respond(async (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk({ content: "a" }));
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
    response.end(chunk({}, { finish: "stop" }) + done);
  });
  const stream = start(client, '{"model":"m","stream":true}');
  const answer = finish(stream);
  await new Promise((resolve) => stream.once("response", resolve));
  const stopped = gatehouse.running[Symbol.asyncDispose]();
  const stoppedAt = performance.now();
  await eventually("no connection is taken any more", async () => {
    const probe = connect(new URL(api.url).origin, { ca: ca() });
    return new Promise<boolean>((resolve) => {
      probe.on("error", () => resolve(true));
      probe.on("connect", () => resolve(false));
    }).finally(() => probe.destroy());
  });
  goOn();
  expect((await answer).text).toContain("[DONE]");
  await stopped;
  expect(performance.now() - stoppedAt).toBeLessThan(5_000);
});
