import { afterEach, beforeEach, expect, test } from "vitest";
import type { Catalog } from "../../src/core/catalog.ts";
import { createKeyring, keyIdOf } from "../../src/core/keyring.ts";
import { sealedPlaces, sealValue } from "../../src/core/sealed-values.ts";
import type { OpenCatalog } from "./catalog-contract.ts";
import {
  sampleResource,
  sampleSecret,
  sampleSigningKey,
  sampleState,
  sampleUpstreamClient,
  sampleUpstreamCredential,
} from "./sample-rows.ts";

/** What a catalog promises of inline secrets, and of sealed values wherever they stand. */
export function catalogSealedContract(open: OpenCatalog): void {
  const one = keyIdOf("11".repeat(32));
  const two = keyIdOf("22".repeat(32));
  const ring = createKeyring([{ key: "11".repeat(32) }]);
  const sealed = sealValue(ring, "text", "place");
  const other = sealValue(createKeyring([{ key: "22".repeat(32) }]), "text", "place");
  const page = { limit: 2, cursor: undefined };
  const holder = sampleResource();
  const inline = { id: `isv_${"1".repeat(24)}`, holderId: holder.id, path: "spec.with.apiKey", sealed, createdAtMs: 1 };
  let catalog: Catalog;

  beforeEach(async () => {
    catalog = await open();
    await catalog.transaction(({ resources }) => resources.insert(holder));
  });

  afterEach(() => catalog[Symbol.asyncDispose]());

  test("an inline secret is kept whole, listed by its holder, and deleted", async () => {
    await catalog.transaction(({ inlineSecrets }) => inlineSecrets.insert(inline));
    expect(await catalog.read.inlineSecrets.find(inline.id)).toEqual(inline);
    expect(await catalog.read.inlineSecrets.of(holder.id)).toEqual([inline]);
    expect(await catalog.read.inlineSecrets.of("llm_other")).toEqual([]);
    expect(await catalog.transaction(({ inlineSecrets }) => inlineSecrets.delete(inline.id))).toBe(true);
    expect(await catalog.transaction(({ inlineSecrets }) => inlineSecrets.delete(inline.id))).toBe(false);
  });

  test("an inline secret goes away with its holder", async () => {
    await catalog.transaction(({ inlineSecrets }) => inlineSecrets.insert(inline));
    await catalog.transaction(({ resources }) => resources.delete(holder.id, holder.version));
    expect(await catalog.read.inlineSecrets.find(inline.id)).toBeUndefined();
  });

  test("the values of each place are found by who has sealed them, with what names their row", async () => {
    const secret = sampleSecret({ sealed });
    const state = sampleState({ payload: sealed });
    const signingKey = sampleSigningKey({ sealed });
    const credential = { ...sampleUpstreamCredential(holder.id), sealed };
    const client = { ...sampleUpstreamClient(), sealed };
    await catalog.transaction(async (transaction) => {
      await transaction.secrets.put(secret);
      await transaction.inlineSecrets.insert(inline);
      await transaction.signingKeys.put(signingKey);
      await transaction.oauthState.put(state);
      await transaction.upstreamCredentials.put(credential);
      await transaction.upstreamClients.put(client);
      await transaction.settings.set("api-key-pepper", JSON.stringify({ id: "pep_1", sealed }));
      await transaction.settings.set("another", JSON.stringify({ id: "x", sealed }));
    });
    const identities = {
      secret: [secret.id],
      inline: [holder.id, inline.path, inline.id],
      "signing-key": [signingKey.kid],
      "oauth-state": [state.model, state.idHash],
      "upstream-credential": [credential.id],
      "upstream-client": [client.id],
      setting: ["api-key-pepper", "pep_1"],
    } as const;
    for (const place of sealedPlaces) {
      const entry = { place, identity: identities[place], sealed };
      const { sealedValues } = catalog.read;
      expect(await sealedValues.notBy(place, two, page)).toEqual({ rows: [entry], next: undefined });
      expect(await sealedValues.notBy(place, one, page)).toEqual({ rows: [], next: undefined });
      expect([
        await sealedValues.count(place),
        await sealedValues.count(place, one),
        await sealedValues.count(place, two),
      ]).toEqual([1, 1, 0]);
      expect(await catalog.transaction((transaction) => transaction.sealedValues.replace(entry, other))).toBe(true);
      expect(await catalog.transaction((transaction) => transaction.sealedValues.replace(entry, other))).toBe(false);
      expect(await sealedValues.notBy(place, one, page)).toEqual({
        rows: [{ ...entry, sealed: other }],
        next: undefined,
      });
    }
  });

  test("pages of a place with a key of two columns miss nothing and show nothing twice", async () => {
    const rows = ["Session", "Grant", "Code"].flatMap((model) =>
      ["b", "a", "c"].map((idHash) => sampleState({ model, idHash, payload: sealed })),
    );
    await catalog.transaction(async ({ oauthState }) => {
      for (const row of rows) await oauthState.put(row);
    });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const found = await catalog.read.sealedValues.notBy("oauth-state", two, { limit: 2, cursor });
      seen.push(...found.rows.map(({ identity }) => identity.join("/")));
      cursor = found.next;
    } while (cursor !== undefined);
    expect(seen.toSorted()).toEqual(rows.map(({ model, idHash }) => `${model}/${idHash}`).toSorted());
  });
}
