import { describe, expect, test } from "vitest";
import { generateApiKey } from "../../src/core/api-keys.ts";
import { generateClientSecret } from "../../src/core/client-secrets.ts";
import { expiringCredentials } from "../../src/core/expiring-credentials.ts";
import { startIdentityUpkeep, sweepIdentity } from "../../src/core/identity-upkeep.ts";
import { createLastUses } from "../../src/core/last-uses.ts";
import { createOauthClient } from "../../src/core/oauth-clients.ts";
import { defaultOauthSettings } from "../../src/core/oauth-settings.ts";
import { sampleRevocation, sampleState } from "../contract/sample-rows.ts";
import { admin, coreFixture, withChatApi } from "./core-fixture.ts";

const daySeconds = 86_400;

describe("what ends soon", () => {
  test("is told within the days of the configuration, soonest first", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    const key = (name: string, validitySeconds: number) =>
      generateApiKey(core.context, admin, {
        metadata: { name },
        spec: { api: { kind: "LlmApi", name: "chat" }, environment: "production", validitySeconds },
      });
    await key("soon", 13 * daySeconds);
    await key("later", 14.5 * daySeconds);
    await key("ever", -1);
    await createOauthClient(core.context, admin, "bot", {
      metadata: { name: "backend" },
      spec: { environment: "production" },
      secret: { expiresInSeconds: daySeconds },
    });
    const told = async (expiryWarningDays: number) => {
      const context = { ...core.context, oauth: { ...defaultOauthSettings, expiryWarningDays } };
      return (await expiringCredentials(context)).map(({ kind, name }) => `${kind}/${name}`);
    };
    expect(await told(14)).toEqual(["OauthClientSecret/bot/backend", "ApiKey/soon"]);
    expect(await told(16)).toEqual(["OauthClientSecret/bot/backend", "ApiKey/soon", "ApiKey/later"]);
    expect(await told(0)).toEqual([]);
    core.clock.advance(daySeconds * 1_000);
    expect(await told(14)).toEqual(["ApiKey/soon", "ApiKey/later"]);
  });

  test("is not told of a secret in its overlap, beside a newer one that lasts", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    const { row } = await createOauthClient(core.context, admin, "bot", { spec: { environment: "production" } });
    const address = { application: "bot", clientId: row.clientId };
    await generateClientSecret(core.context, admin, address, { overlapSeconds: 3_600 });
    expect(await expiringCredentials(core.context)).toEqual([]);
    await generateClientSecret(core.context, admin, address, { overlapSeconds: 3_600, expiresInSeconds: 7_200 });
    expect(await expiringCredentials(core.context)).toHaveLength(3);
  });
});

describe("upkeep", () => {
  test("forgets what has expired, and nothing else", async () => {
    await using core = await coreFixture();
    const nowMs = core.clock.now();
    const states = [nowMs - 1, nowMs + 1, null].map((expiresAtMs) => sampleState({ expiresAtMs }));
    const revocations = [nowMs - 1, nowMs + 1].map((expiresAtMs) => sampleRevocation({ expiresAtMs }));
    const { catalog } = core.context;
    await catalog.transaction(async (tx) => {
      for (const state of states) await tx.oauthState.put(state);
      for (const revocation of revocations) await tx.revocations.put(revocation);
    });
    await sweepIdentity(core.context);
    const found = await Promise.all(states.map(({ model, idHash }) => catalog.read.oauthState.find(model, idHash)));
    expect(found.map((state) => state !== undefined)).toEqual([false, true, true]);
    expect((await catalog.read.revocations.live(0, { limit: 10 })).rows).toEqual(revocations.slice(1));
  });

  test("warns in the log of what ends soon, without any value, and notes the last uses at the end", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    const { secret } = await createOauthClient(core.context, admin, "bot", {
      metadata: { name: "backend" },
      spec: { environment: "production" },
      secret: { expiresInSeconds: daySeconds },
    });
    const lines: object[] = [];
    const { promise: warned, resolve } = Promise.withResolvers<void>();
    const warn = (fields: object) => {
      lines.push(fields);
      resolve();
    };
    const secretUses = createLastUses({ clock: core.clock, onUsed: () => {} });
    const context = { ...core.context, secretUses, log: { ...core.context.log, warn } };
    const id = secret?.row?.id ?? "";
    {
      await using _ = startIdentityUpkeep(context);
      secretUses.note(id, core.clock.now());
      core.clock.advance(5_000);
      await warned;
      secretUses.note(id, core.clock.now());
    }
    expect(lines).toMatchObject([{ count: 1, soonest: [expect.stringContaining("OauthClientSecret/bot/backend")] }]);
    expect((await context.catalog.read.oauthClients.secrets.findById(id))?.lastUsedAtMs).toBe(core.clock.now());
  });
});
