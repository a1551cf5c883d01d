import { z } from "zod";
import type { CoreContext } from "../../core/core-context.ts";
import { residentName } from "../../core/key-manager.ts";
import { resourceIdentifier } from "../../core/resource-identifier.ts";

/** A deployed API that takes the resident key manager's tokens. */
export interface ProtectedApi {
  readonly kind: string;
  readonly name: string;
  /** What is shown to the person who is asked. */
  readonly title: string;
  /** The resource identifier (RFC 8707). */
  readonly resource: string;
  /** Every one is needed to call it. */
  readonly scopes: readonly string[];
}

const securedSpec = z.object({
  displayName: z.string().optional(),
  security: z.object({
    oauth: z.union([
      z.literal(false),
      z.object({ keyManagers: z.array(z.string()).optional(), scopes: z.array(z.string()).default([]) }),
    ]),
  }),
});

/** The API that is reached at a resource identifier, as it is deployed now; undefined when there is none that takes our tokens. */
export async function findProtectedApi(
  { catalog }: CoreContext,
  publicUrl: string,
  resource: string,
): Promise<ProtectedApi | undefined> {
  for (const deployment of await catalog.read.deployments.all()) {
    if (resourceIdentifier(publicUrl, deployment) !== resource) continue;
    const revision = await catalog.read.revisions.find(deployment.resourceId, deployment.revision);
    const spec = securedSpec.safeParse(revision?.spec);
    if (!spec.success || spec.data.security.oauth === false) return undefined;
    const { keyManagers, scopes } = spec.data.security.oauth;
    if (keyManagers !== undefined && !keyManagers.includes(residentName)) return undefined;
    const { kind, name } = deployment;
    return { kind, name, title: spec.data.displayName ?? name, resource, scopes };
  }
  return undefined;
}
