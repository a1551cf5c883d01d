import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../../kit/eventually.ts";
import type { TestApi, TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import { rawHttp } from "../../../kit/raw-http.ts";

const patienceMs = 20_000;
const boundary = "cut-here";
const head = `--${boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`;
const end = `\r\n--${boundary}--\r\n`;

/** A far end that is handed the request before its body has come. */
let answer: (incoming: IncomingMessage, response: ServerResponse) => void = () => undefined;
const far = createServer((incoming, response) => {
  incoming.on("error", () => undefined);
  answer(incoming, response);
});
let calls = 0;
let gatehouse: TestGatehouse;
let api: TestApi;

beforeAll(async () => {
  await new Promise<void>((resolve) => far.listen(0, "127.0.0.1", resolve));
  const { port } = far.address() as AddressInfo; // a TCP server that listens has one
  gatehouse = await startTestGatehouse();
  api = await gatehouse.llm("ways", `http://127.0.0.1:${port}/v1`, {
    passThrough: ["files", "audio"],
    uploadBytes: 3_000_000,
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  far.closeAllConnections();
  await new Promise((resolve) => far.close(resolve));
});

const headersOf = (key: string, more: object = {}) => ({
  authorization: `Bearer ${key}`,
  "content-type": `multipart/form-data; boundary=${boundary}`,
  ...more,
});

/** An upload that the test writes itself. */
function upload(at: TestApi, more: object = {}) {
  const call = request(`${at.url}/files`, { method: "POST", headers: headersOf(at.key, more), agent: false });
  call.on("error", () => undefined); // whoever expects one asks for it
  const status = new Promise<number>((resolve, reject) => {
    call.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.on("close", () => reject(new Error("closed without an answer")));
  });
  status.catch(() => undefined);
  return { call, status };
}

const answerFile = (_incoming: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "application/json" });
  response.end('{"id":"file-1","object":"file"}');
};

describe("an upload", () => {
  test("goes on while it comes", async () => {
    let bytes = 0;
    answer = (incoming, response) => {
      incoming.on("data", (piece: Buffer) => void (bytes += piece.length));
      incoming.on("end", () => answerFile(incoming, response));
    };
    const { call, status } = upload(api);
    call.write(head);
    await eventually("the beginning is there before the end is sent", () => bytes >= head.length, patienceMs);
    call.end(`{}${end}`);
    expect(await status).toBe(200);
    expect(bytes).toBe(head.length + 2 + end.length);
  });

  test("keeps its length where it has told one", async () => {
    let told: string | undefined;
    answer = (incoming, response) => {
      told = incoming.headers["content-length"];
      incoming.resume();
      incoming.on("end", () => answerFile(incoming, response));
    };
    const body = `${head}{}${end}`;
    expect((await rawHttp(`${api.url}/files`, { headers: headersOf(api.key), body })).status).toBe(200);
    expect(told).toBe(String(body.length));
  });

  test("that says that it is too long reaches nobody", async () => {
    calls = 0;
    answer = () => void (calls += 1);
    const { call, status } = upload(api, { "content-length": 3_000_001 });
    call.write(head);
    expect(await status).toBe(413);
    call.destroy();
    expect(calls).toBe(0);
  });

  test("that is too long without saying so is broken off at both ends", async () => {
    let isGone = false;
    answer = (incoming) => {
      incoming.resume();
      incoming.on("close", () => void (isGone = !incoming.complete));
    };
    const { call, status } = upload(api);
    call.write(head);
    call.write(Buffer.alloc(3_000_000));
    expect(await status).toBe(413);
    call.destroy();
    await eventually("the far end hears that it is over", () => isGone, patienceMs);
  });

  test("whose client goes away is broken off", async () => {
    let isThere = false;
    let isGone = false;
    answer = (incoming) => {
      isThere = true;
      incoming.resume();
      incoming.on("close", () => void (isGone = !incoming.complete));
    };
    const { call } = upload(api);
    call.write(head);
    await eventually("the upload has begun", () => isThere, patienceMs);
    call.destroy();
    await eventually("the far end hears that it is over", () => isGone, patienceMs);
  });

  test("that is answered before its end is answered", async () => {
    answer = (_incoming, response) => {
      response.writeHead(400, { "content-type": "application/json", connection: "close" });
      response.end('{"error":{"message":"No."}}');
    };
    const { call, status } = upload(api);
    call.write(head);
    expect(await status).toBe(400);
    call.destroy();
  });

  test("is tried elsewhere where the first could not be reached, and not where it has been read", async () => {
    const { port } = far.address() as AddressInfo; // as above
    await gatehouse.put("LlmProvider", "nobody", { use: "openai", with: { baseUrl: "http://127.0.0.1:9/v1" } });
    await gatehouse.put("LlmProvider", "far", { use: "openai", with: { baseUrl: `http://127.0.0.1:${port}/v1` } });
    const targets = [{ provider: "nobody" }, { provider: "far" }];
    const production = { targets, strategy: { use: "failover" }, breaker: { failures: 0 }, maxAttempts: 4 };
    const upstream = { production, sandbox: { sameAs: "production" as const } };
    await gatehouse.put("LlmApi", "spare", { context: "/spare", passThrough: ["files"], upstream });
    const spare = { url: api.url.replace("/ways/", "/spare/"), key: await gatehouse.key("spare") };
    const send = () => rawHttp(`${spare.url}/files`, { headers: headersOf(spare.key), body: `${head}{}${end}` });
    let body = "";
    answer = (incoming, response) => {
      body = "";
      incoming.on("data", (piece: Buffer) => void (body += piece.toString()));
      incoming.on("end", () => answerFile(incoming, response));
    };
    expect([(await send()).status, body]).toEqual([200, `${head}{}${end}`]);
    calls = 0;
    answer = (incoming, response) => {
      calls += 1;
      incoming.resume();
      incoming.on("end", () => response.writeHead(500).end());
    };
    expect([(await send()).status, calls]).toEqual([500, 1]);
  });
});

test("an answer that breaks off midway is no whole one for the client either", async () => {
  answer = (incoming, response) => {
    incoming.resume();
    response.writeHead(200, { "content-type": "audio/mpeg" });
    response.write(Buffer.alloc(10_000));
    incoming.on("end", () => setImmediate(() => response.destroy()));
  };
  const headers = { authorization: `Bearer ${api.key}`, "content-type": "application/json" };
  const body = '{"model":"tts-1","input":"x"}';
  await expect(rawHttp(`${api.url}/audio/speech`, { headers, body })).rejects.toMatchObject({ code: "ECONNRESET" });
  await eventually(
    "the row says so",
    async () => (await gatehouse.events()).some((event) => event["error_code"] === "upstream.reset"),
    patienceMs,
  );
});

test("an answer whose client goes away is let go of", async () => {
  let isGone = false;
  answer = (incoming, response) => {
    incoming.resume();
    response.writeHead(200, { "content-type": "audio/mpeg" });
    response.write(Buffer.alloc(10_000));
    response.on("close", () => void (isGone = true));
  };
  const headers = { authorization: `Bearer ${api.key}`, "content-type": "application/json" };
  const call = request(`${api.url}/audio/speech`, { method: "POST", headers, agent: false });
  call.on("error", () => undefined);
  call.on("response", () => call.destroy());
  call.end('{"model":"tts-1","input":"x"}');
  await eventually("the far end hears that it is over", () => isGone, patienceMs);
});
