import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { z } from "zod";
import {
  clientSecretListSchema,
  createdOauthClientSchema,
  generatedClientSecretSchema,
  oauthClientViewSchema,
} from "../../src/control/oauth-client-view-schema.ts";
import { expiringCredentialsSchema } from "../../src/control/status-routes.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";

let plane: ControlPlane;
const clients = "/api/v1/applications/bot/oauth-clients";
const spec = { environment: "production" };

beforeEach(async () => {
  plane = await openControlPlane();
  for (const name of ["bot", "other"])
    await plane.send("POST", "/api/v1/applications", { metadata: { name }, spec: {} });
});

afterEach(() => plane[Symbol.asyncDispose]());

async function made(body: object = { metadata: { name: "backend" }, spec }) {
  return createdOauthClientSchema.parse((await plane.send("POST", clients, body)).body);
}

/** The answer, as its documentation says that it is. */
async function read<Schema extends z.ZodType>(schema: Schema, path: string): Promise<z.output<Schema>> {
  return schema.parse((await plane.send("GET", path)).body);
}

describe("201", () => {
  test("a client comes with its first secret, and no later answer holds the value", async () => {
    const answer = await plane.send("POST", clients, { metadata: { name: "backend" }, spec });
    expect(answer.status).toBe(201);
    const { spec: shown, secret } = createdOauthClientSchema.parse(answer.body);
    const path = `${clients}/${shown.clientId}`;
    expect(answer.headers.get("location")).toBe(path);
    const value = secret?.secretValue ?? "";
    expect(value).toMatch(/^ghs_/);
    const later = await Promise.all(
      [clients, path, `${path}/secrets`, "/api/v1/audit"].map((at) => plane.send("GET", at)),
    );
    for (const { status, text } of later) {
      expect(status).toBe(200);
      expect(text).not.toContain(value.slice(9));
    }
  });

  test("another secret, whose id is in the list", async () => {
    const path = `${clients}/${(await made()).spec.clientId}/secrets`;
    const answer = await plane.send("POST", path, { description: "second", expiresInSeconds: 3_600 });
    expect(answer.status).toBe(201);
    const { secretId } = generatedClientSecretSchema.parse(answer.body);
    const { items } = await read(clientSecretListSchema, path);
    expect(items.map((item) => [item.description, item.state])).toEqual([
      [null, "active"],
      ["second", "active"],
    ]);
    expect(items[1]?.secretId).toBe(secretId);
  });

  test("a public client has no secret to show", async () => {
    const body = {
      spec: {
        ...spec,
        grantTypes: ["authorization_code"],
        redirectUris: ["https://a.example/cb"],
        tokenEndpointAuthMethod: "none",
      },
    };
    expect((await made(body)).secret).toBeNull();
  });
});

describe("200", () => {
  test("a client as it was read can be sent back", async () => {
    const { spec: shown } = await made();
    const path = `${clients}/${shown.clientId}`;
    const before = await plane.send("GET", path);
    const answer = await plane.send("PUT", path, before.body, { "if-match": before.headers.get("etag") });
    expect(answer.status).toBe(200);
    expect(oauthClientViewSchema.parse(answer.body)).toMatchObject({ spec: shown, metadata: { version: 2 } });
  });

  test("what ends soon is listed", async () => {
    await made({ metadata: { name: "backend" }, spec, secret: { expiresInSeconds: 3_600 } });
    const { items } = await read(expiringCredentialsSchema, "/api/v1/expiring-credentials");
    expect(items).toMatchObject([{ kind: "OauthClientSecret", name: "bot/backend" }]);
  });
});

describe("204", () => {
  test("a secret is ended, with the tokens on demand, and a client deleted", async () => {
    const { spec: shown, secret } = await made();
    const path = `${clients}/${shown.clientId}`;
    await plane.send("POST", `${path}/secrets`, {});
    plane.messages.length = 0;
    expect((await plane.send("DELETE", `${path}/secrets/${secret?.secretId}?revokeTokens=true`)).status).toBe(204);
    expect(plane.messages).toMatchObject([{ type: "revocation.put", record: { type: "secret" } }]);
    expect((await plane.send("DELETE", path, undefined, { "if-match": "*" })).status).toBe(204);
    expect((await plane.send("GET", path)).status).toBe(404);
  });
});

describe("400", () => {
  test.each(["revokeTokens=yes", "force=1", "forced=true", "revokeTokens=true&revokeTokens=false"])(
    "the query %s is not understood, and nothing is ended",
    async (query) => {
      const { spec: shown, secret } = await made();
      const path = `${clients}/${shown.clientId}/secrets`;
      expect((await plane.send("DELETE", `${path}/${secret?.secretId}?${query}`)).status).toBe(400);
      expect((await read(clientSecretListSchema, path)).items[0]?.state).toBe("active");
    },
  );
});

describe("401", () => {
  test.each(["", "/x", "/x/secrets"])("nobody reads %s without the admin token", async (path) => {
    expect((await plane.send("GET", `${clients}${path}`, undefined, { authorization: null })).status).toBe(401);
  });
});

describe("404", () => {
  test("another application's client, on every path of it", async () => {
    const { spec: shown, secret } = await made();
    const path = `/api/v1/applications/other/oauth-clients/${shown.clientId}`;
    const any = { "if-match": "*" };
    const answers = await Promise.all([
      plane.send("GET", path),
      plane.send("PUT", path, { spec }, any),
      plane.send("DELETE", path, undefined, any),
      plane.send("GET", `${path}/secrets`),
      plane.send("POST", `${path}/secrets`, {}),
      plane.send("DELETE", `${path}/secrets/${secret?.secretId}?force=true`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404, 404]);
  });
});

describe("409", () => {
  test("the newest secret is kept, and the answer says how to go on", async () => {
    const { spec: shown, secret } = await made();
    const path = `${clients}/${shown.clientId}/secrets/${secret?.secretId}`;
    const answer = await plane.send("DELETE", path);
    expect([answer.status, answer.body.code]).toEqual([409, "resource.in_use"]);
    expect(answer.body.detail).toContain("force=true");
    expect((await plane.send("DELETE", `${path}?force=true`)).status).toBe(204);
  });

  test("an application with clients is kept, and they are named", async () => {
    await made();
    const answer = await plane.send("DELETE", "/api/v1/applications/bot", undefined, { "if-match": "*" });
    expect(answer.status).toBe(409);
    expect(answer.body.detail).toContain("OauthClient/backend");
  });
});

describe("412 and 428", () => {
  test("a client is not overwritten unread", async () => {
    const path = `${clients}/${(await made()).spec.clientId}`;
    expect((await plane.send("PUT", path, { spec })).status).toBe(428);
    expect((await plane.send("PUT", path, { spec }, { "if-match": '"9"' })).status).toBe(412);
    expect((await plane.send("DELETE", path)).status).toBe(428);
  });
});

describe("422", () => {
  test("every field at fault is named", async () => {
    const body = { spec: { environment: "staging", grantTypes: ["authorization_code"], redirectUris: ["x"] } };
    const answer = await plane.send("POST", clients, body);
    expect(answer.status).toBe(422);
    expect(answer.body.errors.map(({ path }) => path)).toContain("spec.environment");
  });
});
