import { z } from "zod";
import { GatewayError } from "../../kernel/errors.ts";
import { discoveryUrl } from "../discovery.ts";
import type { RemoteServer } from "../remote-server.ts";
import type { SsoServer } from "./sso-server.ts";

const httpUrl = z.url({ protocol: /^https?$/ }).max(2_000);

/** What signing in uses of a discovery document (OpenID Connect Discovery 1.0, 3; RFC 9207, 3). */
const documentSchema = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: httpUrl,
  token_endpoint: httpUrl,
  jwks_uri: httpUrl,
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
});

export type SsoDocument = z.output<typeof documentSchema>;

/** The server's document. Throws `upstream.…`; also when it is of another issuer than it should be. */
export async function readSsoDocument(server: SsoServer, remote: RemoteServer): Promise<SsoDocument> {
  const url = server.discoveryUrl ?? discoveryUrl(server.issuer);
  const parsed = documentSchema.safeParse((await remote.send({ url })).json());
  if (!parsed.success) throw unusable(`${url}: ${parsed.error.issues[0]?.path.join(".")}`);
  if (parsed.data.issuer !== server.issuer) throw unusable(`${url} is not of ${server.issuer}`);
  return parsed.data;
}

function unusable(detail: string): GatewayError {
  return new GatewayError("upstream.invalid", "Nobody can sign in with this key manager.", { detail });
}
