import { createHash } from "node:crypto";
import type { Hono } from "hono";
import type { Analytics } from "./compose-analytics.ts";
import type { GatewayParts } from "./compose-gateway.ts";
import type { IdentityParts } from "./compose-identity.ts";
import type { Config } from "./config.ts";
import type { ControlEnv } from "./control/control-env.ts";
import type { ControlOptions } from "./control/control-options.ts";
import type { CoreContext } from "./core/core-context.ts";
import type { Listener } from "./gateway/listen.ts";
import { listen } from "./gateway/listen.ts";
import { createCidrSet } from "./kernel/cidr-set.ts";
import { loopbackHosts, openGatewayPort, urlOf } from "./open-gateway-port.ts";
import { gatehouseVersion } from "./version.ts";

type Fetch = Parameters<typeof listen>[0]["fetch"];

/** Both ports of the process, and how each is reached. */
export interface Ports {
  readonly gateway: Listener;
  readonly control: Listener;
  readonly gatewayUrl: string;
  readonly controlUrl: string;
}

/** Opens both ports; when one cannot be opened, none stays open. */
export async function openPorts(
  config: Config,
  context: CoreContext,
  { gateway, identity }: { readonly gateway: GatewayParts; readonly identity: IdentityParts },
  adminToken: string,
  analytics: Pick<Analytics, "reader" | "tools">,
): Promise<Ports> {
  const { clock, log } = context;
  const { maxConnections, headersTimeoutMs, requestTimeoutMs } = config.limits;
  const common = { maxConnections, headersTimeoutMs, requestTimeoutMs, clock, log };
  const starting: Fetch = () => new Response("starting\n", { status: 503 });
  const serve: { gateway: Fetch; control: Fetch } = { gateway: starting, control: starting };

  await using opened = new AsyncDisposableStack();
  const { listener: gatewayPort, url: gatewayUrl } = await openGatewayPort(config, context, (request, bindings) =>
    serve.gateway(request, bindings),
  );
  opened.defer(() => gatewayPort.drain(0));
  const controlPort = await listen({
    ...common,
    name: "control plane",
    host: config.controlHost,
    port: config.controlPort,
    portSetting: "--control-port or GATEHOUSE_CONTROL_PORT",
    fetch: (request, bindings) => serve.control(request, bindings),
  });
  opened.defer(() => controlPort.drain(0));
  const controlUrl = config.controlUrl ?? urlOf("http", config.controlHost, controlPort.port);
  const auth = await identity.open(gatewayUrl);
  const app = gateway.app({
    auth,
    servesApis: config.planes.includes("gateway"),
    allowedHosts: [...loopbackHosts, ...config.allowedHosts],
    gatewayUrl,
    trustedProxies: config.trustedProxies,
  });
  const options: ControlOptions = {
    context,
    adminTokenHash: createHash("sha256").update(adminToken).digest(),
    allowedHosts: [...loopbackHosts, ...config.allowedHosts],
    gatewayUrl,
    controlUrl,
    ready: () => gateway.dataPlane.ready,
    version: gatehouseVersion,
    trustedProxies: createCidrSet(config.trustedProxies),
    extraPaths: config.control.extraPaths,
    clock,
    log,
    servedKinds: gateway.servedKinds,
    analytics: analytics.reader,
    analyticsTools: analytics.tools,
    sso: identity.sso,
  };
  serve.gateway = app.fetch;
  serve.control = onFirstRequest(options);
  opened.move();
  return { gateway: gatewayPort, control: controlPort, gatewayUrl, controlUrl };
}

/** The control plane's app, loaded by the first request: a process that only serves traffic does without its libraries. */
function onFirstRequest(options: ControlOptions): Fetch {
  let app: Promise<Hono<ControlEnv>> | undefined;
  return async (request, bindings) => {
    app ??= import("./control/control-app.ts").then(({ createControlApp }) => createControlApp(options));
    return (await app).fetch(request, bindings);
  };
}
