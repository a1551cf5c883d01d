import type { OwnToken, OwnTokens } from "../../../identity/upstream/own-tokens.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { UpstreamCredential } from "./upstream-credential.ts";

/** A token that the gateway gets by itself: of its own, or in exchange for the caller's. */
export function ownTokenCredential(tokens: OwnTokens): UpstreamCredential {
  const shownTokens = new WeakMap<object, OwnToken>();
  return {
    async show(asker) {
      const token = await tokens.get(asker?.token);
      const shown = { headers: { authorization: `Bearer ${token.accessToken}` } };
      shownTokens.set(shown, token);
      return shown;
    },
    async refused(asker, shown, { status, scopes }) {
      const token = shownTokens.get(shown);
      if (token === undefined || (status === 403 && scopes === undefined)) return false;
      if (tokens.refused(asker?.token, token, scopes)) return true;
      const wanted = scopes === undefined ? "" : `; it wants ${scopes.join(" ")}`;
      throw new GatewayError(
        "upstream.credentials",
        "The MCP server refused the token that the gateway was given for it.",
        {
          detail: `status ${status}${wanted}`,
        },
      );
    },
  };
}
