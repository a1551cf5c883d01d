import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { homePage } from "./home-page.ts";
import { schemaComponent } from "./schema-component.ts";

/** What needs no token: the page for people who open the port, and the probes for what runs it. */
export function probeRoutes(): readonly ControlRoute[] {
  const common = { method: "get", access: "public", tag: "Installation" } as const;
  return [
    defineRoute({
      ...common,
      path: "/",
      operationId: "home",
      summary: "A page that tells what this port is",
      answers: { 200: { description: "The page.", mediaType: "text/html" } },
      handle: async ({ options }) => homePage(options),
    }),
    defineRoute({
      ...common,
      path: "/livez",
      operationId: "livez",
      summary: "Whether the process answers",
      answers: { 200: { description: "It does.", schema: probe } },
      handle: async () => jsonAnswer(200, { status: "ok" }),
    }),
    defineRoute({
      ...common,
      path: "/readyz",
      operationId: "readyz",
      summary: "Whether the control plane can do its work",
      answers: { 200: { description: "It can. Until then, 503.", schema: probe } },
      async handle({ options }) {
        if (options.ready()) return jsonAnswer(200, { status: "ok" });
        throw new GatewayError("server.not_ready", "Not ready yet.", { retryAfterMs: 1_000 });
      },
    }),
  ];
}

const probe = schemaComponent("Probe", z.strictObject({ status: z.literal("ok") }), "output");
