import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { readBody } from "../../src/gateway/read-body.ts";
import { Cancellation } from "../../src/kernel/cancellation.ts";
import { GatewayError } from "../../src/kernel/errors.ts";

test("the body of a client that left before it was asked for is refused at once, whoever noticed", async () => {
  const ends: string[] = [];
  const done = Promise.withResolvers<void>();
  const server = createServer((incoming, outgoing) => {
    const cancellation = new Cancellation();
    outgoing.on("close", async () => {
      const unaware = new Cancellation();
      cancellation.cancel(new GatewayError("client.closed", "gone"));
      for (const each of [cancellation, unaware]) {
        await (async () => readBody(incoming, 1_000, each))().catch((error: GatewayError) => ends.push(error.code));
      }
      done.resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = send({ port, method: "POST", headers: { "content-length": 100 } });
  client.on("error", () => undefined);
  client.write("half", () => setTimeout(() => client.destroy(), 20));
  await done.promise;
  expect(ends).toEqual(["client.closed", "client.closed"]);
  server.close();
});
