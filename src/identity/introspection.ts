import { secretName } from "../core/api-spec.ts";
import type { Clock } from "../kernel/clock.ts";
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
  readonly clock: Clock;
}

/** Questions that may be on their way at a time: tokens come from strangers, and each costs the server a request. */
const mostAtOnce = 16;
/** Questions that wait for one of those to end, and for how long at most. */
const mostWaiting = 64;
const longestWaitMs = 2_000;

/** Asks the server what a token is (RFC 7662). Throws `upstream.…`, also when it would have to wait for too long. */
export function createIntrospection(parts: IntrospectionParts) {
  const places = createPlaces(parts.clock);
  return async (token: string): Promise<Readonly<Record<string, unknown>>> => {
    await places.take();
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
      places.giveBack();
    }
  };
}

function createPlaces(clock: Clock) {
  const waiting = new Set<() => void>();
  let running = 0;
  return {
    async take(): Promise<void> {
      if (running < mostAtOnce) {
        running += 1;
        return;
      }
      if (waiting.size >= mostWaiting) throw tooMany();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const begin = (): void => {
        cancel();
        resolve();
      };
      const cancel = clock.after(longestWaitMs, () => {
        waiting.delete(begin);
        reject(tooMany());
      });
      waiting.add(begin);
      await promise; // whoever ends hands its place over, so `running` stays as it is
    },
    giveBack(): void {
      const [next] = waiting;
      if (next === undefined) {
        running -= 1;
        return;
      }
      waiting.delete(next);
      next();
    },
  };
}

function tooMany(): GatewayError {
  return new GatewayError("upstream.unavailable", "Too many tokens are being asked for.", { retryAfterMs: 1_000 });
}
