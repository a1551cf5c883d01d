import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { announcePort } from "./announce-port.ts";

// What most gateways in TypeScript are built from: Hono in front, the built-in fetch behind.

const upstream = process.argv[2] ?? "";
const app = new Hono();
app.post("/*", async (c) => {
  const { method, headers, body } = c.req.raw;
  const forwarded = new Headers(headers);
  for (const name of ["host", "connection", "content-length"]) forwarded.delete(name);
  const whole = body === null ? null : await c.req.arrayBuffer();
  const answer = await fetch(upstream + c.req.path, { method, headers: forwarded, body: whole });
  const answerHeaders = new Headers(answer.headers);
  for (const name of ["transfer-encoding", "connection", "content-encoding"]) answerHeaders.delete(name);
  return new Response(answer.body, { status: answer.status, headers: answerHeaders });
});

announcePort(createServer(getRequestListener(app.fetch)));
