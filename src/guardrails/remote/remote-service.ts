import { createFailureRest } from "../../embedding/failure-rest.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { retryAfterMs } from "../../kernel/retry-after.ts";
import type { PluginTools } from "../../pipeline/plugin.ts";

/** Somebody else's service that judges texts. */
export interface RemoteService {
  /** One POST of JSON; the answer's JSON. Throws as `createRemoteService` says. */
  post(url: string, body: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<unknown>;
  /** Any other call of it: counted, and not made while it rests. */
  call<Result>(make: () => Promise<Result>): Promise<Result>;
}

const failuresInARow = 5;
const restMs = 10_000;
const longestAnswerBytes = 1_048_576;

/**
 * Calls once and tries no more: the request waits for it. After five failures in a row nothing is called for ten seconds,
 * so that a service that hangs holds up few requests. Redirects are not followed.
 *
 * Throws what `SafeFetch` throws; `upstream.credentials` for 401 and 403, `upstream.unavailable` for 408, 429, 5xx and
 * while it rests, `upstream.invalid` for every other answer that is no JSON with a status of 2xx.
 * @param who for messages: `Azure AI Content Safety`
 */
export function createRemoteService(
  who: string,
  timeoutMs: number,
  { clock, fetch }: Pick<PluginTools, "clock" | "fetch">,
): RemoteService {
  const rest = createFailureRest({ clock, failures: failuresInARow, openMs: restMs });

  const call = async <Result>(make: () => Promise<Result>): Promise<Result> => {
    const waitMs = rest.waitMs();
    if (waitMs > 0) {
      throw new GatewayError("upstream.unavailable", `${who} is unavailable.`, {
        detail: "it has failed several times in a row and is left alone for a while",
        retryAfterMs: waitMs,
      });
    }
    try {
      const result = await make();
      rest.note("good");
      return result;
    } catch (error) {
      rest.note(error instanceof GatewayError && error.code === "client.closed" ? "unknown" : "bad");
      throw error;
    }
  };

  return {
    call,
    post: (url, body, headers, signal) =>
      call(async () => {
        const answer = await fetch(url, {
          chosenBy: "operator",
          method: "POST",
          headers: { "content-type": "application/json", accept: "application/json", ...headers },
          body,
          timeoutMs,
          maxBytes: longestAnswerBytes,
          signal,
        });
        const { status } = answer;
        if (status >= 200 && status <= 299) return answer.json();
        const detail = `${new URL(url).origin} answered ${status}`;
        if (status === 401 || status === 403) {
          throw new GatewayError("upstream.credentials", `${who} refused the gateway.`, { detail });
        }
        if (status === 408 || status === 429 || status >= 500) {
          const after = retryAfterMs(answer.headers, clock.now());
          throw new GatewayError("upstream.unavailable", `${who} is unavailable.`, {
            detail,
            ...(after !== undefined && { retryAfterMs: after }),
          });
        }
        throw new GatewayError("upstream.invalid", `${who} refused the texts.`, { detail });
      }),
  };
}
