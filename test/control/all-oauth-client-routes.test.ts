import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { oauthClientViewSchema } from "../../src/control/oauth-client-view-schema.ts";
import { storeRegisteredClient } from "../../src/core/registered-client.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

let plane: ControlPlane;
const all = "/api/v1/oauth-clients";
const documentId = "https://agent.example.com/client.json";

beforeEach(async () => {
  plane = await openControlPlane();
  await createTeam(plane, "blue");
  await plane.send("POST", "/api/v1/applications", { metadata: { name: "bot" }, spec: {} });
  await plane.send("POST", "/api/v1/applications", { metadata: { name: "sky", team: "blue" }, spec: {} });
});

afterEach(() => plane[Symbol.asyncDispose]());

/** A client that nobody here has made; its own id. */
async function registered(clientId = "dyn_1", source: "dynamic" | "metadata-document" = "dynamic"): Promise<string> {
  const { id } = await storeRegisteredClient(plane.context, {
    clientId,
    source,
    displayName: "Agent",
    metadata: {
      grantTypes: ["authorization_code", "refresh_token"],
      redirectUris: ["http://127.0.0.1/callback"],
      tokenEndpointAuthMethod: "none",
      tokenLifetimes: {},
      applicationType: "native",
    },
    secretValue: undefined,
  });
  plane.messages.length = 0;
  return id;
}

async function made(application: string): Promise<string> {
  const answer = await plane.send("POST", `/api/v1/applications/${application}/oauth-clients`, {
    spec: { environment: "production" },
  });
  plane.messages.length = 0;
  return answer.body.metadata.id;
}

/** The token of somebody who has one role, for one team. */
async function memberToken(team: string, role: "subscriber" | "read-only"): Promise<string> {
  await makeUser(plane, "robot", { teams: [{ team, roles: [role] }] }, {});
  return (await makeToken(plane.send, { user: "robot" })).token;
}

async function seen(query = "", token?: string) {
  const { body } = await plane.send("GET", `${all}${query}`, undefined, token === undefined ? {} : bearer(token));
  return z.array(oauthClientViewSchema).parse(body.items);
}

describe("200", () => {
  test("the list holds every client, by whichever way it came, and is narrowed by it", async () => {
    await made("bot");
    await registered();
    await registered(documentId, "metadata-document");
    const views = await seen();
    expect(views.map(({ metadata, status }) => [metadata.application, status.source])).toEqual([
      ["bot", "admin"],
      [null, "dynamic"],
      [null, "metadata-document"],
    ]);
    expect((await seen("?source=dynamic")).map(({ spec }) => spec.clientId)).toEqual(["dyn_1"]);
    expect(await seen(`?clientId=${encodeURIComponent(documentId)}`)).toEqual([views[2]]);
    expect(await seen("?disabled=true")).toEqual([]);
  });

  test("the list is paged", async () => {
    for (const clientId of ["dyn_1", "dyn_2", "dyn_3"]) await registered(clientId);
    const first = await plane.send("GET", `${all}?limit=2&source=dynamic`);
    expect(first.body.items).toHaveLength(2);
    const rest = await seen(`?limit=2&source=dynamic&cursor=${first.body.next}`);
    expect(rest.map(({ spec }) => spec.clientId)).toEqual(["dyn_3"]);
  });

  test("disabling ends the tokens of a client at every gateway, and enabling gives none of them back", async () => {
    const id = await registered();
    const disabled = await plane.send("POST", `${all}/${id}/disable`);
    expect([disabled.status, disabled.body.status]).toEqual([200, { source: "dynamic", disabled: true }]);
    expect(plane.messages).toEqual([
      { type: "revocation.put", record: expect.objectContaining({ type: "client", id: "dyn_1" }) },
      { type: "client.put", record: expect.objectContaining({ clientId: "dyn_1", disabled: true }) },
    ]);
    plane.messages.length = 0;
    expect((await plane.send("POST", `${all}/${id}/enable`)).status).toBe(200);
    expect(plane.messages).toEqual([
      { type: "client.put", record: expect.objectContaining({ clientId: "dyn_1", disabled: false }) },
    ]);
    const audit = await plane.send("GET", "/api/v1/audit");
    for (const action of ["oauthclient.disabled", "oauthclient.enabled"]) expect(audit.text).toContain(action);
  });

  test("disabling twice is disabling once", async () => {
    const id = await registered();
    const first = await plane.send("POST", `${all}/${id}/disable`);
    plane.messages.length = 0;
    const second = await plane.send("POST", `${all}/${id}/disable`);
    expect(second.headers.get("etag")).toBe(first.headers.get("etag"));
    expect(plane.messages).toEqual([]);
  });

  test("a client of nobody is given to an application and its team, and taken back", async () => {
    const id = await registered();
    const given = await plane.send("POST", `${all}/${id}/associate`, { application: "sky" });
    expect(given.status).toBe(200);
    expect(given.body.metadata).toMatchObject({ application: "sky", team: "blue" });
    expect(plane.messages).toEqual([
      { type: "client.put", record: expect.objectContaining({ applicationId: expect.stringMatching(/^app_/) }) },
    ]);
    const application = await plane.send("GET", "/api/v1/applications/sky");
    const etag = application.headers.get("etag") ?? "";
    const gone = await plane.send("DELETE", "/api/v1/applications/sky", undefined, { "if-match": etag });
    expect([gone.status, gone.text]).toEqual([409, expect.stringContaining("OauthClient")]);
    const taken = await plane.send("POST", `${all}/${id}/dissociate`);
    expect(taken.body.metadata).toMatchObject({ application: null, team: "default" });
  });
});

describe("204", () => {
  test("a client that registered itself is deleted, with its tokens", async () => {
    const id = await registered();
    const gone = await plane.send("DELETE", `${all}/${id}`, undefined, { "if-match": "*" });
    expect(gone.status).toBe(204);
    expect(plane.messages.map(({ type }) => type)).toEqual(["client.removed", "revocation.put"]);
    expect(await seen()).toEqual([]);
  });
});

describe("403", () => {
  const writes = [
    { name: "disabled", path: "/disable", body: undefined },
    { name: "given away", path: "/associate", body: { application: "bot" } },
  ];
  test.each(writes)("a client of nobody is not $name by a member of the team that it is listed under", async (row) => {
    const id = await registered();
    const token = await memberToken("default", "subscriber");
    const answer = await plane.send("POST", `${all}/${id}${row.path}`, row.body, bearer(token));
    expect([answer.status, answer.body.code]).toEqual([403, "auth.forbidden"]);
    expect(await seen()).toMatchObject([{ metadata: { application: null }, status: { disabled: false } }]);
  });

  test("who may read and no more disables nothing", async () => {
    const id = await made("bot");
    const token = await memberToken("default", "read-only");
    expect((await plane.send("POST", `${all}/${id}/disable`, undefined, bearer(token))).status).toBe(403);
  });
});

describe("404", () => {
  test("another team's client is not there, and a member's own one is", async () => {
    const [own, other] = [await made("sky"), await made("bot")];
    const token = await memberToken("blue", "subscriber");
    expect((await seen("", token)).map(({ metadata }) => metadata.id)).toEqual([own]);
    expect((await plane.send("GET", `${all}/${other}`, undefined, bearer(token))).status).toBe(404);
    expect((await plane.send("POST", `${all}/${other}/disable`, undefined, bearer(token))).status).toBe(404);
    expect((await plane.send("POST", `${all}/${own}/disable`, undefined, bearer(token))).status).toBe(200);
  });

  test("an id that nobody has, and an application that there is not", async () => {
    expect((await plane.send("GET", `${all}/oac_000000000000000000000000`)).status).toBe(404);
    const id = await registered();
    expect((await plane.send("POST", `${all}/${id}/associate`, { application: "none" })).status).toBe(404);
  });
});

describe("409", () => {
  test("a client of one application is not given to another, nor is one that was made for its application taken", async () => {
    const id = await made("bot");
    expect((await plane.send("POST", `${all}/${id}/associate`, { application: "sky" })).status).toBe(409);
    expect((await plane.send("POST", `${all}/${id}/dissociate`)).status).toBe(409);
  });
});

describe("412", () => {
  test("a client that has changed since it was read is not disabled", async () => {
    const id = await registered();
    await plane.send("POST", `${all}/${id}/associate`, { application: "bot" });
    const answer = await plane.send("POST", `${all}/${id}/disable`, undefined, { "if-match": '"1"' });
    expect(answer.status).toBe(412);
  });
});
