import { z } from "zod";
import type { DeploymentRow } from "../../core/catalog.ts";
import type { CoreContext } from "../../core/core-context.ts";
import { residentName } from "../../core/key-manager.ts";
import { resourceIdentifier } from "../../core/resource-identifier.ts";

/** A deployed API that takes the resident key manager's tokens. */
export interface ProtectedApi {
  readonly kind: string;
  readonly teamId: string;
  readonly name: string;
  /** What is shown to the person who is asked. */
  readonly title: string;
  /** The resource identifier (RFC 8707). */
  readonly resource: string;
  /** Every one is needed to call it. */
  readonly scopes: readonly string[];
  /** Which clients of no subscription it takes. */
  readonly oauth: { readonly shared: boolean; readonly registeredClients: boolean | undefined };
}

/** The APIs by their resource identifiers, read once until they change: a token costs no look through all of them. */
export interface ProtectedApis {
  /** As `findProtectedApi`. */
  find(resource: string): Promise<ProtectedApi | undefined>;
  /** Something was deployed or taken away. */
  forget(): void;
}

const securedSpec = z.object({
  displayName: z.string().optional(),
  security: z.object({
    oauth: z.union([
      z.literal(false),
      z.object({
        keyManagers: z.array(z.string()).optional(),
        scopes: z.array(z.string()).default([]),
        shared: z.boolean().default(false),
        registeredClients: z.boolean().optional(),
      }),
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
    if (resourceIdentifier(publicUrl, deployment) === resource) return readApi(catalog, publicUrl, deployment);
  }
  return undefined;
}

/** Nothing is read before the first question. */
export function createProtectedApis({ catalog }: CoreContext, publicUrl: string): ProtectedApis {
  type Known = ReadonlyMap<string, () => Promise<ProtectedApi | undefined>>;
  let known: Promise<Known> | undefined;
  const read = async (): Promise<Known> => {
    const deployments = await catalog.read.deployments.all();
    return new Map(
      deployments.map((deployment) => {
        let api: Promise<ProtectedApi | undefined> | undefined;
        return [
          resourceIdentifier(publicUrl, deployment),
          () => {
            api ??= readApi(catalog, publicUrl, deployment).catch((error: unknown) => {
              api = undefined; // the next question tries again
              throw error;
            });
            return api;
          },
        ];
      }),
    );
  };
  return {
    async find(resource) {
      known ??= read().catch((error: unknown) => {
        known = undefined;
        throw error;
      });
      return (await known).get(resource)?.();
    },
    forget() {
      known = undefined;
    },
  };
}

async function readApi(
  { read }: CoreContext["catalog"],
  publicUrl: string,
  deployment: DeploymentRow,
): Promise<ProtectedApi | undefined> {
  const revision = await read.revisions.find(deployment.resourceId, deployment.revision);
  const spec = securedSpec.safeParse(revision?.spec);
  if (!spec.success || spec.data.security.oauth === false) return undefined;
  const { keyManagers, scopes, shared, registeredClients } = spec.data.security.oauth;
  if (keyManagers !== undefined && !keyManagers.includes(residentName)) return undefined;
  const { kind, name, teamId } = deployment;
  const resource = resourceIdentifier(publicUrl, deployment);
  return {
    kind,
    name,
    teamId,
    title: spec.data.displayName ?? name,
    resource,
    scopes,
    oauth: { shared, registeredClients },
  };
}
