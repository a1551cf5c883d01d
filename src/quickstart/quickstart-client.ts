import { z } from "zod";
import { authenticateClient } from "../core/authenticate-client.ts";
import type { CoreContext } from "../core/core-context.ts";
import { createOauthClient } from "../core/oauth-clients.ts";
import { findProtectedApi } from "../identity/resident/protected-apis.ts";
import type { QuickstartCatalog } from "./quickstart-catalog.ts";
import { quickstartActor, quickstartDocument } from "./quickstart-catalog.ts";

/** An OAuth client of the quickstart and what it gets tokens for. */
export const clientFactsSchema = z.looseObject({
  clientId: z.string(),
  clientSecret: z.string(),
  tokenUrl: z.string(),
  /** The API that its tokens are for, as the token endpoint is told. */
  resource: z.string(),
});

export type QuickstartClient = z.output<typeof clientFactsSchema>;

/** The application that owns the client. */
export const quickstartApplication = "quickstart";

export interface QuickstartClientOptions {
  readonly context: CoreContext;
  readonly catalog: QuickstartCatalog;
  readonly gatewayUrl: string;
  readonly known: QuickstartClient | undefined;
}

/**
 * A client that gets tokens for the API `demo`: `known` when its secret still works, else a new one. Undefined when the
 * API takes no tokens (its owner has changed it) or the application was deleted by its owner.
 */
export async function quickstartClient(options: QuickstartClientOptions): Promise<QuickstartClient | undefined> {
  const { context, catalog, gatewayUrl, known } = options;
  const resource = `${gatewayUrl}/demo`;
  if ((await findProtectedApi(context, gatewayUrl, resource)) === undefined) return undefined;
  const place = { tokenUrl: `${gatewayUrl}/auth/token`, resource };
  if (known !== undefined && (await authenticateClient(context, known.clientId, known.clientSecret)) !== undefined) {
    return { clientId: known.clientId, clientSecret: known.clientSecret, ...place };
  }
  if (await catalog.wasDeleted("Application", quickstartApplication)) return undefined;
  if ((await catalog.find("Application", quickstartApplication)) === undefined) {
    await catalog.put([quickstartDocument("Application", quickstartApplication, { displayName: "Quickstart" })]);
  }
  const spec = { environment: "production", displayName: "Quickstart" };
  const { row, secret } = await createOauthClient(context, quickstartActor, quickstartApplication, { spec });
  return secret === undefined ? undefined : { clientId: row.clientId, clientSecret: secret.secretValue, ...place };
}
