import type { Environment } from "../../core/environment.ts";
import type { RestApiSpec } from "../../core/rest-api.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { CompiledUpstream, ProtocolAdapter, ProtocolCompileInput } from "../../pipeline/adapter.ts";
import type { Answer, Exchange, Operation } from "../../pipeline/exchange.ts";
import { deny } from "../../pipeline/outcome.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";
import { peerAt } from "../../pipeline/target-peer.ts";
import { answerHeaders } from "../headers.ts";
import type { CompileCredential } from "../mcp/credentials/compile-credential.ts";
import { sendAuthorized } from "../mcp/credentials/send-authorized.ts";
import type { UpstreamCredential } from "../mcp/credentials/upstream-credential.ts";
import { askerOf } from "../mcp/credentials/upstream-credential.ts";
import type { UpstreamClient } from "../upstream.ts";
import { restRequest } from "./rest-request.ts";
import { editFrame, editRequest, frameSpans, hiddenBody, jsonFrame, requestSpans, texts } from "./rest-spans.ts";

export interface RestAdapterOptions {
  readonly upstream: UpstreamClient;
  readonly credentials: CompileCredential;
}

/**
 * REST APIs as tools of MCP servers call them: through the API's own subscription, scopes, limits, policies and
 * guardrails. It has no routes: nothing calls a REST API at its own context yet.
 */
export function createRestAdapter(options: RestAdapterOptions): ProtocolAdapter {
  return {
    kind: "RestApi",
    routes: [],
    cutsText: false,
    texts,
    compile: (input) => ({ upstreams: compileUpstreams(input, options), own: undefined }),
    decode: notServed,
    requestSpans,
    editRequest,
    hiddenText: (operation, phase) => (phase === "request" ? hiddenBody(operation) : undefined),
    frameSpans,
    editFrame,
    notOffered: ({ name }) => deny("request.not_offered", `There is no operation ${name}.`),
    call: (exchange, operation, target) => callRest(exchange, operation, target, options),
    encode: notServed,
    encodeDeny: notServed,
  };
}

const notServed = (): never => {
  throw new GatewayError("route.not_served", "REST APIs are not served at their own context yet.");
};

interface RestEndpoint {
  readonly url: string;
  readonly credential: UpstreamCredential;
}

type Block = RestApiSpec["upstream"]["production"];

function compileUpstreams(input: ProtocolCompileInput, options: RestAdapterOptions) {
  const { upstream } = input.artifact.spec as RestApiSpec; // the snapshot compiler has just parsed it by the kind's schema
  const production = compileBlock(input, "production", upstream.production, options);
  const { sandbox } = upstream;
  return {
    production,
    sandbox: "sameAs" in sandbox ? production : compileBlock(input, "sandbox", sandbox, options),
  };
}

function compileBlock(
  { artifact: { id: apiId, name }, tools: { secrets } }: ProtocolCompileInput,
  environment: Environment,
  { url, auth, timeouts }: Block,
  { credentials }: RestAdapterOptions,
): CompiledUpstream {
  const credential = credentials(auth, { apiId, environment, url, secrets });
  const endpoint: RestEndpoint = { url: url.replace(/\/+$/, ""), credential };
  return {
    targets: [
      { id: name, providerName: name, endpoint, peer: peerAt(url), weight: 1, model: undefined, serves: () => true },
    ],
    strategy: { choose: (targets) => targets },
    maxAttempts: 1, // a request that may have run is never repeated
    timeouts,
    breaker: { failures: 0, openMs: 0 },
  };
}

/** Redirects are not followed. Throws `upstream.…` where no answer came that can be read within the API's bound. */
async function callRest(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  { upstream }: RestAdapterOptions,
): Promise<Answer> {
  const { url, credential } = target.endpoint as RestEndpoint; // made above
  const { method, path, headers } = restRequest(operation);
  const { origin, pathname } = new URL(url);
  const { timeouts } = exchange.api.protocol.upstreams[exchange.principal?.environment ?? "production"];
  const { cancellation } = exchange;
  const body = operation.body.length === 0 ? undefined : operation.body;
  const full = `${pathname.replace(/\/+$/, "")}${path}`;
  const response = await sendAuthorized(credential, askerOf(exchange), (shown) =>
    upstream.send({
      origin,
      method,
      path: full === "" ? "/" : full,
      headers: { ...headers, ...shown },
      body,
      timeouts,
      cancellation,
    }),
  );
  if (response.headers["content-encoding"] !== undefined) {
    response.body.discard();
    throw new GatewayError("upstream.invalid", "The service's answer is compressed, though that was not asked for.");
  }
  const bytes = await response.body.whole(exchange.api.limits.responseBytes);
  const kept = answerHeaders(response.headers);
  for (const name of ["content-type", "location", "retry-after"]) {
    const value = response.headers[name];
    if (typeof value === "string") kept[name] = value;
  }
  return { status: response.status, headers: kept, body: { type: "whole", frame: jsonFrame(bytes) } };
}
