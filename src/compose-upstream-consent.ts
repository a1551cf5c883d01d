import type { UpstreamTokens } from "./core/upstream-tokens.ts";
import type { ConnectParts } from "./identity/resident/connect.ts";
import type { BrokerParts } from "./identity/upstream/upstream-broker.ts";
import { deriveKey } from "./kernel/crypto.ts";

/** How people's tokens for upstream servers come into the vault, and out of it. */
export interface UpstreamConsent {
  readonly broker: UpstreamTokens;
  readonly pages: ConnectParts;
}

/** Builds it at its first use: most installations have no such upstream. */
export function createUpstreamConsent(given: Omit<BrokerParts, "texts">): () => Promise<UpstreamConsent> {
  let made: Promise<UpstreamConsent> | undefined;
  const make = async (): Promise<UpstreamConsent> => {
    const [{ createAuthorizationFlow }, { openTicket }, { clientDocument }, { createSealedTexts }, broker] =
      await Promise.all([
        import("./identity/upstream/authorization-flow.ts"),
        import("./identity/upstream/consent-ticket.ts"),
        import("./identity/upstream/own-client.ts"),
        import("./identity/upstream/sealed-texts.ts"),
        import("./identity/upstream/upstream-broker.ts"),
      ]);
    const { clock, pepper } = given.context();
    const texts = createSealedTexts(deriveKey(pepper.key, "gatehouse/upstream-consent"));
    const parts: BrokerParts = { ...given, texts };
    return {
      broker: broker.createUpstreamBroker(parts),
      pages: {
        flow: createAuthorizationFlow(parts),
        openTicket: (text) => openTicket(text, texts, clock),
        document: () => clientDocument(broker.ownFacts(given.issuer() ?? "")),
      },
    };
  };
  return () => {
    made ??= make();
    return made;
  };
}
