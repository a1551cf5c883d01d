import { createUser } from "../../src/core/users.ts";
import { admin } from "../core/core-fixture.ts";
import type { Answer, ControlPlane } from "./control-plane.ts";

export const password = "correct horse battery staple";

/** A browser that is signed in: its cookie and the token that its pages send. */
export interface SignedIn {
  readonly cookie: string;
  readonly csrf: string;
  /** Sends as a page of the control plane does, with changes to the headers. */
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string | null>>,
  ): Promise<Answer>;
}

export const ownPage = { "sec-fetch-site": "same-origin", origin: "http://localhost" } as const;

/** Makes a user, without a password where `body` says so. */
export async function makeUser(plane: ControlPlane, name: string, spec: object, body: object = { password }) {
  return createUser(plane.context, admin, { metadata: { name }, spec, ...body });
}

export async function signIn(plane: ControlPlane, name: string, given = password): Promise<SignedIn> {
  const answer = await plane.send("POST", "/api/v1/session", { name, password: given }, { authorization: null });
  if (answer.status !== 200) throw new Error(answer.text);
  const cookie = answer.headers.get("set-cookie")?.split(";")[0] ?? "";
  const csrf = (JSON.parse(answer.text) as { session: { csrfToken: string } }).session.csrfToken; // as just answered
  return {
    cookie,
    csrf,
    send: (method, path, body, headers = {}) =>
      plane.send(method, path, body, { authorization: null, cookie, "x-csrf-token": csrf, ...ownPage, ...headers }),
  };
}

/** An access token of whoever sends. */
export async function makeToken(
  send: SignedIn["send"] | ControlPlane["send"],
  input: object,
): Promise<{ readonly id: string; readonly token: string }> {
  const answer = await send("POST", "/api/v1/access-tokens", { name: "test", expiresInDays: 30, ...input });
  if (answer.status !== 201) throw new Error(answer.text);
  return JSON.parse(answer.text) as { id: string; token: string }; // as just answered
}

/** The header of a token. */
export function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` };
}
