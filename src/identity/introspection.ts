import { secretName } from "../core/api-spec.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { SecretReader } from "../pipeline/plugin.ts";
import type { RemoteServer } from "./remote-server.ts";
import { basicAuthorization, objectOf } from "./remote-server.ts";

export interface IntrospectionParts {
  readonly url: () => Promise<string> | string;
  readonly clientId: string;
  /** `${secret:name}` */
  readonly clientSecret: string;
  readonly server: RemoteServer;
  readonly secrets: SecretReader;
}

/** Questions that may be on their way at a time: tokens come from strangers, and each costs the server a request. */
const mostAtOnce = 16;

/** Asks the server what a token is (RFC 7662). Throws `upstream.…`, also while too many are being asked for. */
export function createIntrospection(parts: IntrospectionParts) {
  let running = 0;
  return async (token: string): Promise<Readonly<Record<string, unknown>>> => {
    if (running >= mostAtOnce) {
      throw new GatewayError("upstream.unavailable", "Too many tokens are being asked for.", { retryAfterMs: 1_000 });
    }
    running += 1;
    try {
      const secret = await parts.secrets.read(secretName(parts.clientSecret));
      const answer = await parts.server.send({
        method: "POST",
        url: await parts.url(),
        headers: { authorization: basicAuthorization(parts.clientId, secret) },
        form: { token, token_type_hint: "access_token" },
      });
      return objectOf(answer);
    } finally {
      running -= 1;
    }
  };
}
