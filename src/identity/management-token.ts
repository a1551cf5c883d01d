import { secretName } from "../core/api-spec.ts";
import type { Clock } from "../kernel/clock.ts";
import type { SecretReader } from "../pipeline/plugin.ts";
import type { RemoteServer } from "./remote-server.ts";
import { basicAuthorization, objectOf, textMember } from "./remote-server.ts";

export interface ManagementTokenParts {
  readonly tokenUrl: () => Promise<string> | string;
  readonly clientId: string;
  /** `${secret:name}` */
  readonly clientSecret: string;
  readonly scopes: readonly string[];
  readonly server: RemoteServer;
  readonly secrets: SecretReader;
  readonly clock: Clock;
}

/** Gives `Authorization` for a server's management API: a client-credentials token, kept until shortly before its end. */
export function createManagementToken(parts: ManagementTokenParts): () => Promise<Readonly<Record<string, string>>> {
  let kept: { readonly token: string; readonly untilMs: number } | undefined;
  return async () => {
    if (kept === undefined || parts.clock.monotonic() >= kept.untilMs) {
      const secret = await parts.secrets.read(secretName(parts.clientSecret));
      const answer = await parts.server.send({
        method: "POST",
        url: await parts.tokenUrl(),
        headers: { authorization: basicAuthorization(parts.clientId, secret) },
        form: {
          grant_type: "client_credentials",
          ...(parts.scopes.length === 0 ? {} : { scope: parts.scopes.join(" ") }),
        },
      });
      const { expires_in: seconds } = objectOf(answer);
      const lifeMs = typeof seconds === "number" ? Math.max(0, seconds - 30) * 1_000 : 0;
      kept = { token: textMember(answer, "access_token"), untilMs: parts.clock.monotonic() + lifeMs };
    }
    return { authorization: `Bearer ${kept.token}` };
  };
}
