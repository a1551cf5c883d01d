import type { IncomingMessage, RequestListener } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { createServer as createRawServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { ResolveHost } from "../../src/kernel/network-policy.ts";
import { createNetworkPolicy } from "../../src/kernel/network-policy.ts";
import type { SafeFetch } from "../../src/kernel/safe-fetch.ts";
import { createSafeFetch } from "../../src/kernel/safe-fetch.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  closers.push(() => new Promise((done) => server.close(done)));
  return (server.address() as AddressInfo).port; // a TCP server's address is never a string
}

async function serve(handler: RequestListener): Promise<number> {
  const server = createServer(handler);
  const port = await listen(server);
  closers.push(() => server.closeAllConnections());
  return port;
}

/** Everything on this machine is listed, or only the operator may name it. */
function open(scope: "listed" | "operator", resolve?: ResolveHost): SafeFetch {
  const policy = createNetworkPolicy(
    scope === "listed"
      ? { allowCidrs: ["127.0.0.1"], operatorReach: [] }
      : { allowCidrs: [], operatorReach: ["loopback"] },
  );
  const safeFetch = createSafeFetch(resolve === undefined ? { policy } : { policy, resolve });
  closers.push(() => safeFetch[Symbol.asyncDispose]());
  return safeFetch;
}

const toLoopback: ResolveHost = async () => [{ address: "127.0.0.1", family: 4 }];

describe("an answer", () => {
  test("arrives whole, whatever its status", async () => {
    const port = await serve(async (request, response) => {
      const sent = await text(request);
      response.writeHead(422, { "content-type": "application/json", "set-cookie": ["a=1", "b=2"] });
      response.end(JSON.stringify({ method: request.method, url: request.url, sent, as: request.headers["x-as"] }));
    });
    const answer = await open("operator")(`http://127.0.0.1:${port}/a%20b?c=d`, {
      chosenBy: "operator",
      method: "PUT",
      headers: { "x-as": "me" },
      body: "hällo",
    });
    expect(answer.status).toBe(422);
    expect(answer.headers).toMatchObject({ "content-type": "application/json", "set-cookie": "a=1, b=2" });
    expect(answer.json()).toEqual({ method: "PUT", url: "/a%20b?c=d", sent: "hällo", as: "me" });
  });

  test("that is no JSON is the upstream's fault", async () => {
    const port = await serve((_request, response) => response.end("<html>"));
    const answer = await open("operator")(`http://127.0.0.1:${port}/`, { chosenBy: "operator" });
    expect(() => answer.json()).toThrow(expect.objectContaining({ code: "upstream.invalid" }));
  });

  test("is taken up to the limit and refused beyond it, with and without a length", async () => {
    const port = await serve((request, response) => {
      if (request.url === "/chunked") response.write("12345");
      response.end(request.url === "/chunked" ? "67890" : "1234567890");
    });
    const safeFetch = open("operator");
    for (const path of ["/", "/chunked"]) {
      const url = `http://127.0.0.1:${port}${path}`;
      expect((await safeFetch(url, { chosenBy: "operator", maxBytes: 10 })).text()).toBe("1234567890");
      await expect(safeFetch(url, { chosenBy: "operator", maxBytes: 9 })).rejects.toMatchObject({
        code: "upstream.too_large",
      });
    }
  });

  test("that never ends is given up in time, before the headers and after them", async () => {
    const port = await serve((request, response) => {
      if (request.url === "/body") response.write("slow");
    });
    const safeFetch = open("operator");
    for (const path of ["/headers", "/body"]) {
      await expect(
        safeFetch(`http://127.0.0.1:${port}${path}`, { chosenBy: "operator", timeoutMs: 60 }),
      ).rejects.toMatchObject({ code: "upstream.timeout" });
    }
  });

  test("is abandoned when the caller does", async () => {
    const abort = new AbortController();
    const port = await serve(() => abort.abort());
    await expect(
      open("operator")(`http://127.0.0.1:${port}/`, { chosenBy: "operator", signal: abort.signal }),
    ).rejects.toMatchObject({ code: "client.closed" });
  });
});

describe("an upstream that fails", () => {
  test("is told apart: refused, closed, garbage, unknown name", async () => {
    const safeFetch = open("operator", async (host) => {
      if (host === "nowhere.example") throw Object.assign(new Error("not found"), { code: "ENOTFOUND" });
      return toLoopback(host, 0);
    });
    const refusing = createRawServer();
    const closedPort = await listen(refusing);
    await closers.pop()?.();
    const closing = await listen(createRawServer((socket) => socket.on("data", () => socket.destroy())));
    const garbage = await listen(
      createRawServer((socket) => socket.on("data", () => socket.end("SSH-2.0-OpenSSH\r\n\r\n"))),
    );
    const codes = [];
    for (const url of [
      `http://127.0.0.1:${closedPort}/`,
      `http://127.0.0.1:${closing}/`,
      `http://127.0.0.1:${garbage}/`,
      "http://nowhere.example/",
    ]) {
      codes.push(
        await safeFetch(url, { chosenBy: "operator" }).then(
          () => "answered",
          (error: { code: string }) => error.code,
        ),
      );
    }
    expect(codes).toEqual(["upstream.unreachable", "upstream.reset", "upstream.invalid", "upstream.unreachable"]);
  });
});

describe("an address that is not permitted", () => {
  test.each([
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://2852039166/",
    "http://0x7f.1/",
    "http://[::1]/",
    "ftp://127.0.0.1/",
    "file:///etc/passwd",
    "http://user:secret@127.0.0.1/",
    "not a URL",
  ])("%s is refused before a connection", async (url) => {
    await expect(open("operator")(url, { chosenBy: "response" })).rejects.toMatchObject({
      code: "upstream.refused_address",
    });
  });

  test("is refused when a name leads to it", async () => {
    let connections = 0;
    const port = await serve(() => {
      connections += 1;
    });
    const safeFetch = open("operator", toLoopback);
    await expect(safeFetch(`http://inside.example:${port}/`, { chosenBy: "tenant" })).rejects.toMatchObject({
      code: "upstream.refused_address",
    });
    expect(connections).toBe(0);
  });

  test("cannot be slipped in by a second answer of the name server", async () => {
    const port = await serve((_request, response) => response.setHeader("connection", "close").end("inside"));
    let asked = 0;
    const flipping: ResolveHost = async () => {
      asked += 1;
      return [{ address: asked === 1 ? "127.0.0.1" : "127.0.0.2", family: 4 }];
    };
    const safeFetch = open("listed", flipping);
    const first = await safeFetch(`http://flip.example:${port}/`, { chosenBy: "tenant" });
    expect(first.text()).toBe("inside");
    expect(asked).toBe(1);
    await expect(safeFetch(`http://flip.example:${port}/`, { chosenBy: "tenant" })).rejects.toMatchObject({
      code: "upstream.refused_address",
    });
  });

  test("is not reached over a connection that somebody else may use", async () => {
    const port = await serve((_request, response) => response.end("inside"));
    const safeFetch = open("operator", toLoopback);
    const url = `http://inside.example:${port}/`;
    expect((await safeFetch(url, { chosenBy: "operator" })).text()).toBe("inside");
    await expect(safeFetch(url, { chosenBy: "response" })).rejects.toMatchObject({ code: "upstream.refused_address" });
  });
});

describe("a redirect", () => {
  /** Two origins: `from` redirects to whatever the query says, `to` tells what it was sent. */
  async function pair(): Promise<{ readonly from: string; readonly to: string }> {
    const port = await serve((request, response) => {
      const url = new URL(request.url ?? "/", "http://from");
      const location = url.searchParams.get("to");
      if (location !== null)
        return response.writeHead(Number(url.searchParams.get("status") ?? 302), { location }).end("moved");
      void tell(request).then((told) => response.end(told));
      return response;
    });
    const other = await serve(async (request, response) => response.end(await tell(request)));
    return { from: `http://127.0.0.1:${port}`, to: `http://127.0.0.1:${other}` };
  }

  async function tell(request: IncomingMessage): Promise<string> {
    const { authorization, cookie, accept } = request.headers;
    const key = request.headers["x-api-key"];
    return JSON.stringify({ method: request.method, authorization, cookie, accept, key, body: await text(request) });
  }

  const headers = { Authorization: "Bearer s", Cookie: "c=1", "X-Api-Key": "k", Accept: "text/plain" };

  test("is an answer like any other unless asked for", async () => {
    const { from, to } = await pair();
    const answer = await open("listed")(`${from}/?to=${to}/`, { chosenBy: "operator" });
    expect(answer.status).toBe(302);
    expect(answer.headers["location"]).toBe(`${to}/`);
  });

  test("to an address that an answer may not choose is refused, although the operator might", async () => {
    const { from, to } = await pair();
    const safeFetch = open("operator");
    for (const target of [`${to}/`, "http://169.254.169.254/", "http://[::1]/", "file:///etc/passwd"]) {
      const url = `${from}/?to=${encodeURIComponent(target)}`;
      await expect(safeFetch(url, { chosenBy: "operator", maxRedirects: 3 })).rejects.toMatchObject({
        code: "upstream.refused_address",
      });
    }
  });

  test("to another origin leaves every credential behind", async () => {
    const { from, to } = await pair();
    const answer = await open("listed")(`${from}/?to=${to}/`, { chosenBy: "operator", headers, maxRedirects: 1 });
    expect(answer.url).toBe(`${to}/`);
    expect(answer.json()).toEqual({ method: "GET", accept: "text/plain", body: "" });
  });

  test("within the origin keeps credentials and the operator's rights", async () => {
    const { from } = await pair();
    const answer = await open("operator")(`${from}/?to=/there`, { chosenBy: "operator", headers, maxRedirects: 1 });
    expect(answer.json()).toMatchObject({ authorization: "Bearer s", cookie: "c=1", key: "k" });
  });

  test.each([
    { status: 301, method: "POST", then: { method: "GET", body: "" } },
    { status: 303, method: "PUT", then: { method: "GET", body: "" } },
    { status: 302, method: "PUT", then: { method: "PUT", body: "b" } },
    { status: 307, method: "POST", then: { method: "POST", body: "b" } },
    { status: 308, method: "PATCH", then: { method: "PATCH", body: "b" } },
  ] as const)("$status of a $method goes on as $then.method", async ({ status, method, then }) => {
    const { from } = await pair();
    const url = `${from}/?status=${status}&to=/there`;
    const answer = await open("operator")(url, { chosenBy: "operator", method, body: "b", maxRedirects: 1 });
    expect(answer.json()).toMatchObject(then);
  });

  test("never carries a body to another origin", async () => {
    const { from, to } = await pair();
    const call = open("listed")(`${from}/?status=307&to=${to}/`, {
      chosenBy: "operator",
      method: "POST",
      body: "client_secret=s",
      maxRedirects: 1,
    });
    await expect(call).rejects.toMatchObject({ code: "upstream.invalid" });
  });

  test("in a circle ends", async () => {
    const { from } = await pair();
    const url = `${from}/?to=${encodeURIComponent("?to=%3Fto=%253Fto=x")}`;
    const call = open("operator")(url, { chosenBy: "operator", maxRedirects: 1 });
    await expect(call).rejects.toMatchObject({ code: "upstream.invalid" });
  });
});

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer); // no encoding is set, so these are buffers
  return Buffer.concat(chunks).toString();
}
