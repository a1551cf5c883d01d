import { readBearerChallenge } from "../../../identity/upstream/bearer-challenge.ts";
import type { UpstreamResponse } from "../../upstream.ts";
import type { CredentialAsker, UpstreamCredential } from "./upstream-credential.ts";

/** As often as a request goes up again with another credential. */
const mostRepeats = 2;

/**
 * Sends a request with what the gateway shows, and again when that was refused and there is something else to show: a
 * request that was refused for its credential has not run. Throws what the credential throws.
 */
export async function sendAuthorized(
  credential: UpstreamCredential,
  asker: CredentialAsker | undefined,
  send: (headers: Readonly<Record<string, string>>) => Promise<UpstreamResponse>,
): Promise<UpstreamResponse> {
  for (let repeats = 0; ; repeats += 1) {
    const shown = await credential.show(asker);
    const response = await send(shown.headers);
    if (credential.refused === undefined || repeats >= mostRepeats) return response;
    const challenge = readBearerChallenge(response.status, response.headers["www-authenticate"]);
    if (challenge === undefined) return response;
    let isWorthATry = false;
    try {
      isWorthATry = await credential.refused(asker, shown, challenge);
    } catch (error) {
      response.body.discard();
      throw error;
    }
    if (!isWorthATry) return response;
    response.body.discard();
  }
}
