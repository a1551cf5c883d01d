import { z } from "zod";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { RemoteServer } from "./remote-server.ts";

const httpUrl = z.url({ protocol: /^https?$/ }).max(2_000);

/** What is used of a discovery document (OpenID Connect Discovery 1.0, 3; RFC 8414, 2). */
const documentSchema = z.looseObject({
  issuer: z.string(),
  jwks_uri: httpUrl,
  token_endpoint: httpUrl.optional(),
  introspection_endpoint: httpUrl.optional(),
  registration_endpoint: httpUrl.optional(),
});

export type DiscoveryDocument = z.output<typeof documentSchema>;

/** The discovery document of a server. */
export interface Discovery {
  /** Throws `upstream.…`; also when the document is of another issuer than it should be. */
  document(): Promise<DiscoveryDocument>;
}

const keptMs = 600_000;

/** Reads the document when it is wanted, and again after ten minutes. */
export function createDiscovery(issuer: string, url: string, server: RemoteServer, clock: Clock): Discovery {
  let kept: { readonly atMs: number; readonly document: DiscoveryDocument } | undefined;
  return {
    async document() {
      if (kept !== undefined && clock.monotonic() - kept.atMs < keptMs) return kept.document;
      const parsed = documentSchema.safeParse((await server.send({ url })).json());
      if (!parsed.success) throw invalid(`${url}: ${parsed.error.issues[0]?.path.join(".")}`);
      // Discovery 1.0, 4.3: otherwise whoever can write one document could speak for every issuer.
      if (parsed.data.issuer !== issuer)
        throw invalid(`${url} is of ${parsed.data.issuer.slice(0, 200)}, not of ${issuer}`);
      const { jwks_uri: keys, token_endpoint, introspection_endpoint, registration_endpoint } = parsed.data;
      const named = [keys, token_endpoint, introspection_endpoint, registration_endpoint];
      if (isHttps(url) && !named.every((each) => each === undefined || isHttps(each)))
        throw invalid(`${url} leads from https to http`);
      kept = { atMs: clock.monotonic(), document: parsed.data };
      return parsed.data;
    },
  };
}

/** Where the document of an issuer is, unless it is said. */
export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

function isHttps(url: string): boolean {
  return URL.parse(url)?.protocol === "https:";
}

function invalid(detail: string): GatewayError {
  return new GatewayError("upstream.invalid", "The key manager's discovery document cannot be used.", { detail });
}
