import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ResidentOptions } from "../../../src/identity/resident/resident-options.ts";
import type { ResidentServer } from "../../../src/identity/resident/resident-server.ts";
import { createResidentServer } from "../../../src/identity/resident/resident-server.ts";
import { deriveKey } from "../../../src/kernel/crypto.ts";
import { createMemoryLimiter } from "../../../src/store/memory/limiter.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";

/** The authorization server on a port of its own, beside the gateway's. */
export interface ServedResident extends AsyncDisposable {
  readonly server: ResidentServer;
  /** `http://127.0.0.1:<port>/auth`. */
  readonly issuer: string;
}

export const residentSettings = {
  signingAlgorithm: "ES256",
  accessTokenSeconds: 60,
  refreshTokenSeconds: 60,
  dynamicRegistration: false,
  mostRegisteredClients: 10,
  clientIdDocuments: true,
  documentHosts: { allowed: undefined, denied: [] },
  tokenPersistence: false,
  revokeOnLogout: false,
} as const;

/** Serves it over a running product's catalog, where nobody can log in. */
export async function serveResident(
  { running: { context, gatewayUrl } }: TestGatehouse,
  changes: Pick<ResidentOptions, "fetch"> & Partial<ResidentOptions>,
): Promise<ServedResident> {
  const http = createServer();
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}/auth`; // a TCP server that listens has one
  const server = await createResidentServer({
    context,
    issuer,
    publicUrl: gatewayUrl,
    settings: residentSettings,
    cookieKey: deriveKey(context.pepper.key, "gatehouse/test"),
    limiter: createMemoryLimiter({ clock: context.clock, maxKeys: 100 }),
    verifyLogin: async () => undefined,
    ...changes,
  });
  http.on("request", (request, response) => {
    void server.handle(request, response, { path: (request.url ?? "").slice("/auth".length), ip: "127.0.0.1" });
  });
  return {
    server,
    issuer,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
