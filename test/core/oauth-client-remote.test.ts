import { beforeEach, describe, expect, test } from "vitest";
import type { CoreContext } from "../../src/core/core-context.ts";
import type { RemoteClientSpec } from "../../src/core/key-manager-connector.ts";
import { createOauthClient, deleteOauthClient, getOauthClient } from "../../src/core/oauth-clients.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import type { CoreFixture } from "./core-fixture.ts";
import { admin, coreFixture, create, rejection } from "./core-fixture.ts";

const spec = { environment: "production" };

describe("a client of a key manager elsewhere", () => {
  const made: RemoteClientSpec[] = [];
  const deleted: string[] = [];
  const clients = {
    create: async (client: RemoteClientSpec) => {
      made.push(client);
      return { clientId: "remote-1", clientSecret: "of-theirs" };
    },
    update: async () => {},
    delete: async (clientId: string) => void deleted.push(clientId),
  };
  beforeEach(() => {
    made.length = 0;
    deleted.length = 0;
  });

  test("is made there, and its secret shown but not kept", async () => {
    await using core = await withBot();
    const context = await withKeyManager(core, clients);
    const input = { spec: { ...spec, keyManager: "kc", displayName: "Backend" } };
    const { row, secret } = await createOauthClient(context, admin, "bot", input);
    expect(made).toMatchObject([{ name: "Backend", environment: "production", grantTypes: ["client_credentials"] }]);
    expect(secret).toEqual({ row: undefined, secretValue: "of-theirs" });
    expect(row.clientId).toBe("remote-1");
    await deleteOauthClient(context, admin, addressOf(row), 1);
    expect(deleted).toEqual(["remote-1"]);
  });

  test("that was there already is only noted, and left alone there when it is deleted here", async () => {
    await using core = await withBot();
    const context = await withKeyManager(core, clients);
    const input = { spec: { ...spec, keyManager: "kc", clientId: "theirs" } };
    const { row, secret } = await createOauthClient(context, admin, "bot", input);
    expect([row.clientId, secret, made]).toEqual(["theirs", undefined, []]);
    await deleteOauthClient(context, admin, addressOf(row), 1);
    expect(deleted).toEqual([]);
  });

  test("is taken away again there when it could not be kept here", async () => {
    await using core = await withBot();
    const context = await withKeyManager(core, clients);
    const input = (name: string) => ({ metadata: { name }, spec: { ...spec, keyManager: "kc" } });
    await createOauthClient(context, admin, "bot", input("one"));
    expect((await rejection(createOauthClient(context, admin, "bot", input("two")))).code).toBe("resource.conflict");
    expect(deleted).toEqual(["remote-1"]);
  });

  test("asks for the id of one where no client can be made", async () => {
    await using core = await withBot();
    const context = await withKeyManager(core, undefined);
    const error = await rejection(createOauthClient(context, admin, "bot", { spec: { ...spec, keyManager: "kc" } }));
    expect(error.issues).toMatchObject([{ path: "spec.clientId" }]);
  });

  test("is dead here though it cannot be deleted there, and the caller is told", async () => {
    await using core = await withBot();
    const down = new GatewayError("upstream.unreachable", "no answer");
    const context = await withKeyManager(core, { ...clients, delete: () => Promise.reject(down) });
    const { row } = await createOauthClient(context, admin, "bot", { spec: { ...spec, keyManager: "kc" } });
    const error = await rejection(deleteOauthClient(context, admin, addressOf(row), 1));
    expect(error.message).toContain("delete remote-1 there");
    expect((await rejection(getOauthClient(context, addressOf(row)))).code).toBe("resource.not_found");
  });
});

function addressOf({ clientId }: { readonly clientId: string }) {
  return { application: "bot", clientId };
}

async function withBot(): Promise<CoreFixture> {
  const core = await coreFixture();
  await create(core, "Application", "bot", {});
  core.messages.length = 0;
  return core;
}

type Clients = NonNullable<ReturnType<NonNullable<CoreContext["keyManagers"]>["open"]>["clients"]>;

/** The same core with a key manager `kc`, of which only the management of clients is played. */
async function withKeyManager(core: CoreFixture, clients: Clients | undefined): Promise<CoreContext> {
  await create(core, "KeyManager", "kc", { use: "oidc", with: {} });
  return {
    ...core.context,
    keyManagers: {
      issues: () => [],
      open: () => ({
        issuers: [],
        reaches: [],
        test: async () => ({ ok: true, steps: [] }),
        ...(clients === undefined ? {} : { clients }),
        [Symbol.asyncDispose]: async () => {},
      }),
    },
  };
}
