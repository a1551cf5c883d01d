import { GatewayError } from "../kernel/errors.ts";
import type { CoreContext } from "./core-context.ts";
import type { Environment } from "./environment.ts";
import type { OauthClientMetadata, OauthClientRow } from "./identity-tables.ts";
import { residentName } from "./key-manager.ts";
import type { ClientConnector, RemoteClient, RemoteClientSpec } from "./key-manager-connector.ts";
import { keyManagerRecord } from "./key-managers.ts";
import { invalid } from "./parse-document.ts";
import type { Resource } from "./resource.ts";

/** What a key manager elsewhere has to know of a client. */
export interface RemoteSubject {
  readonly name: string;
  readonly environment: Environment;
  readonly metadata: OauthClientMetadata;
}

/** Makes the client at a key manager elsewhere. Throws `resource.invalid` when that cannot be asked to, and `upstream.…`. */
export async function createRemoteClient(
  context: CoreContext,
  keyManager: Resource,
  subject: RemoteSubject,
): Promise<RemoteClient> {
  return withClients(context, keyManager, (clients) => {
    if (clients !== undefined) return clients.create(remoteSpec(subject));
    throw invalid([
      {
        path: "spec.clientId",
        message: `KeyManager/${keyManager.name} makes no clients for us; make one there and give its id here`,
      },
    ]);
  });
}

/** Changes the client there. One that was only named to us is left alone. Throws `upstream.…`. */
export async function updateRemoteClient(
  context: CoreContext,
  keyManager: Resource,
  row: OauthClientRow,
): Promise<void> {
  if (!isMadeThere(row, keyManager)) return;
  await withClients(context, keyManager, async (clients) => clients?.update(row.clientId, remoteSpec(row)));
}

/** Deletes the client there. Throws `upstream.…` that says that here it is gone. */
export async function deleteRemoteClient(
  context: CoreContext,
  keyManager: Resource,
  row: OauthClientRow,
): Promise<void> {
  if (!isMadeThere(row, keyManager)) return;
  try {
    await withClients(context, keyManager, async (clients) => clients?.delete(row.clientId));
  } catch (cause) {
    const message = `The client is deleted here and its tokens are refused, but KeyManager/${keyManager.name} did not delete it; delete ${row.clientId} there.`;
    throw new GatewayError(cause instanceof GatewayError ? cause.code : "upstream.unreachable", message, { cause });
  }
}

/** Gives the client another secret there. Throws `resource.invalid` where that is not possible, and `upstream.…`. */
export async function rotateRemoteSecret(
  context: CoreContext,
  keyManager: Resource,
  row: OauthClientRow,
): Promise<RemoteClient> {
  return withClients(context, keyManager, async (clients) => {
    const rotated = isMadeThere(row, keyManager) ? clients?.rotateSecret?.(row.clientId) : undefined;
    if (rotated !== undefined) return rotated;
    throw new GatewayError(
      "resource.invalid",
      `The secrets of this client are KeyManager/${keyManager.name}'s; make a new one there.`,
    );
  });
}

/** True for the key manager whose clients and secrets are kept here. */
export function isResident(keyManager: Resource): boolean {
  return keyManager.name === residentName;
}

function isMadeThere(row: OauthClientRow, keyManager: Resource): boolean {
  return !isResident(keyManager) && row.metadata.madeAtKeyManager === true;
}

async function withClients<Result>(
  context: CoreContext,
  keyManager: Resource,
  work: (clients: ClientConnector | undefined) => Promise<Result>,
): Promise<Result> {
  if (context.keyManagers === undefined) return work(undefined);
  const record = await keyManagerRecord(context, context.catalog.read, keyManager);
  await using connector = context.keyManagers.open(record);
  return await work(connector.clients); // waited for here: the connector is closed after
}

function remoteSpec({ name, environment, metadata }: RemoteSubject): RemoteClientSpec {
  return {
    name: metadata.displayName ?? name,
    environment,
    grantTypes: metadata.grantTypes,
    redirectUris: metadata.redirectUris,
    scopes: metadata.scopes ?? [],
    tokenEndpointAuthMethod: metadata.tokenEndpointAuthMethod,
    ...metadata.tokenLifetimes,
  };
}
