import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import { scopeSchema } from "./api-spec.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import { keyManager } from "./key-manager.ts";
import type { ConnectionTest, KeyManagerConnector } from "./key-manager-connector.ts";
import { keyManagerRecord } from "./key-managers.ts";
import { parseDocument } from "./parse-document.ts";
import type { ResourceKind } from "./resource.ts";
import { requireResource } from "./resource-changes.ts";
import { audit, inWrite } from "./write.ts";

/** Tries to reach a key manager with the credentials that it has, and changes nothing there. Throws `resource.not_found`. */
export async function testKeyManager(context: CoreContext, name: string): Promise<ConnectionTest> {
  return withConnector(context, name, (connector) => connector.test());
}

/** The body of a request that registers scopes. */
export const scopesInputSchema = z.strictObject({
  scopes: z
    .array(
      z.strictObject({
        name: scopeSchema,
        displayName: z.string().max(200).optional().meta({ title: "Display name" }),
        description: z.string().max(1_000).optional().meta({ title: "Description" }),
        roles: z
          .array(z.string().min(1).max(255))
          .max(100)
          .optional()
          .meta({ title: "Roles", description: "Roles whose users may have it." }),
      }),
    )
    .min(1)
    .max(200)
    .meta({ title: "Scopes" }),
});

/**
 * Makes scopes, and roles where the key manager is set to, at its server. Throws `resource.invalid` where that cannot be
 * asked to or would refuse a name, `resource.not_found`, and `upstream.…`.
 */
export async function registerScopes(context: CoreContext, actor: Actor, name: string, input: unknown): Promise<void> {
  const { scopes } = parseDocument(scopesInputSchema, input);
  // zod gives undefined for what was not said; the contract leaves it out.
  const said = scopes.map((scope) =>
    Object.fromEntries(Object.entries(scope).filter(([, value]) => value !== undefined)),
  );
  await withConnector(context, name, async ({ scopes: connector }) => {
    if (connector === undefined) {
      throw new GatewayError("resource.invalid", `KeyManager/${name} makes no scopes for us; make them there.`);
    }
    await connector.register(said as unknown as Parameters<typeof connector.register>[0]); // the same but for undefined
  });
  await inWrite(context, actor, async (write) => {
    const resource = await requireResource(write.transaction, kind, name);
    await audit(write, "keymanager.scopes-registered", resource, { scopes: scopes.map((scope) => scope.name) });
  });
}

const kind = keyManager as unknown as ResourceKind; // its own spec is all that reaches it

async function withConnector<Result>(
  context: CoreContext,
  name: string,
  work: (connector: KeyManagerConnector) => Promise<Result>,
): Promise<Result> {
  const { read } = context.catalog;
  const record = await keyManagerRecord(context, read, await requireResource(read, kind, name));
  if (context.keyManagers === undefined) {
    throw new GatewayError("internal", "This installation has no key managers.", {
      detail: "no connectors were given",
    });
  }
  await using connector = context.keyManagers.open(record);
  return work(connector);
}
