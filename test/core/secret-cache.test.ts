import { createSecretKey } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { CoreContext } from "../../src/core/core-context.ts";
import type { SecretCache } from "../../src/core/secret-cache.ts";
import { createSecretCache } from "../../src/core/secret-cache.ts";
import { deleteSecret, putSecret } from "../../src/core/secrets.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import type { CoreFixture } from "./core-fixture.ts";
import { admin, coreFixture } from "./core-fixture.ts";

const changed = { type: "secret.changed", name: "token" } as const;
const put = (core: CoreFixture, value: string) => putSecret(core.context, admin, { name: "token", value });

/** A cache that holds `first`, over a store and a keyring that can be taken away. */
async function cacheWith(core: CoreFixture) {
  const state = { isDown: false, isKeyGone: false };
  const { catalog, vaultKeys } = core.context;
  const secrets: CoreContext["catalog"]["read"]["secrets"] = {
    ...catalog.read.secrets,
    find: async (name) => {
      if (state.isDown) throw new GatewayError("store.unavailable", "The store is busy.");
      return catalog.read.secrets.find(name);
    },
  };
  const other = createSecretKey(Buffer.alloc(32, 9));
  const context: CoreContext = {
    ...core.context,
    catalog: { ...catalog, read: { ...catalog.read, secrets } },
    vaultKeys: { ...vaultKeys, find: (id) => (state.isKeyGone ? other : vaultKeys.find(id)) },
  };
  await put(core, "first");
  const cache: SecretCache = createSecretCache(() => context);
  await cache.load();
  expect(cache.read("token")).toBe("first");
  return { cache, state };
}

test("a secret that the store does not give just now keeps its value, and the new one holds once it does", async () => {
  await using core = await coreFixture();
  const { cache, state } = await cacheWith(core);
  await put(core, "second");
  state.isDown = true;
  await cache.apply(changed);
  expect(cache.read("token")).toBe("first");
  core.clock.advance(1_000);
  await nextTurn();
  expect(cache.read("token")).toBe("first");
  state.isDown = false;
  core.clock.advance(1_000);
  await nextTurn();
  await nextTurn();
  expect(cache.read("token")).toBe("second");
});

test.each([
  {
    name: "was deleted",
    lose: (core: CoreFixture) => deleteSecret(core.context, admin, "token"),
  },
  {
    name: "cannot be decrypted any more",
    lose: async (_core: CoreFixture, state: { isKeyGone: boolean }) => {
      state.isKeyGone = true;
    },
  },
])("a secret that $name is forgotten", async ({ lose }) => {
  await using core = await coreFixture();
  const { cache, state } = await cacheWith(core);
  await lose(core, state);
  await cache.apply(changed);
  expect(() => cache.read("token")).toThrow(expect.objectContaining({ code: "upstream.credentials" }));
});
