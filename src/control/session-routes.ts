import { z } from "zod";
import type { UserRow } from "../core/identity-tables.ts";
import { nameSchema } from "../core/resource.ts";
import { endSession, startSession } from "../core/sessions.ts";
import { ownPasswordInputSchema } from "../core/user-spec.ts";
import { changeOwnPassword, verifyPassword } from "../core/users.ts";
import { addressBlock } from "../kernel/address-block.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, emptyAnswer, jsonAnswer } from "./control-route.ts";
import { refuseOtherPages } from "./own-page.ts";
import { parseInput } from "./parse-input.ts";
import { schemaComponent } from "./schema-component.ts";
import { cookieForm, sessionCookie, sessionSecretOf, setCookie } from "./session-cookie.ts";
import { whoAmI, whoAmISchema } from "./who-am-i.ts";

/** Signing in and out, and the own password. */
export function sessionRoutes(): readonly ControlRoute[] {
  return [signInRoute(), readRoute(), signOutRoute(), passwordRoute()];
}

const path = "/api/v1/session";
const common = { tag: "Session" } as const;

const signInSchema = z.strictObject({
  name: nameSchema.meta({ title: "Name" }),
  password: z.string().min(1).max(513).meta({ title: "Password" }),
});
const signInBody = schemaComponent("SignIn", signInSchema, "input");
const passwordBody = schemaComponent("OwnPassword", ownPasswordInputSchema, "input");
const view = schemaComponent("WhoAmI", whoAmISchema, "output");

function signInRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path,
    operationId: "signIn",
    access: "public",
    summary: "Sign in with name and password: sets the session cookie",
    body: signInBody,
    answers: { 200: { description: "Who you are, and the token for requests that change something.", schema: view } },
    async handle(call) {
      refuseOtherPages(call.url, call.header);
      const form = cookieForm(call.options.controlUrl, call.url);
      const { name, password } = parseInput(signInSchema, await call.body(), { code: "request.invalid" });
      const user = await checkPassword(call, name, password);
      const { session, secret } = await startSession(call.context, user, {
        method: "password",
        userAgent: call.header("user-agent") ?? "",
        origin: call.actor.origin ?? { requestId: "", clientAddress: "" },
        replaced: sessionSecretOf(call.options, call.url, call.header("cookie")),
      });
      const cookie = setCookie(form, { name: sessionCookie, value: secret, sameSite: "Strict" });
      return jsonAnswer(200, await whoAmI(call.context, { user, session }), { "set-cookie": cookie });
    },
  });
}

/** One answer for a wrong name, a wrong password, a user without one and one who is disabled, after the same work. */
async function checkPassword({ context, actor }: ControlCall, name: string, password: string): Promise<UserRow> {
  let user: UserRow | undefined;
  const verify = async (): Promise<boolean> => {
    user = await verifyPassword(context, name, password, actor.origin);
    return user !== undefined;
  };
  const address = actor.origin?.clientAddress ?? "";
  if (context.addressGate === undefined || address === "") await verify();
  else await context.addressGate.check(addressBlock(address), verify);
  if (user !== undefined) return user;
  throw new GatewayError("auth.invalid_credentials", "The name or the password is not right.");
}

function readRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "get",
    path,
    operationId: "getSession",
    access: { permission: "account:self" },
    summary: "Who you are and what you may do; works with every kind of token too",
    answers: { 200: { description: "The caller.", schema: view } },
    async handle({ context, caller, actor }) {
      return jsonAnswer(200, await whoAmI(context, { ...caller, rights: actor.rights }));
    },
  });
}

function signOutRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "delete",
    path,
    operationId: "signOut",
    access: { permission: "account:self" },
    summary: "Sign out: the session ends here, whoever still has its cookie",
    answers: { 204: { description: "Signed out." } },
    async handle({ context, actor, caller, options, url }) {
      if (caller?.session === undefined) throw new GatewayError("request.invalid", "A token has no session to end.");
      await endSession(context, actor, caller.session.id, caller.user?.id);
      const answer = emptyAnswer();
      const form = cookieForm(options.controlUrl, url);
      const cookie = { name: sessionCookie, value: "", sameSite: "Strict", maxAgeSeconds: 0 } as const;
      answer.headers.append("set-cookie", setCookie(form, cookie));
      return answer;
    },
  });
}

function passwordRoute(): ControlRoute {
  return defineRoute({
    ...common,
    method: "post",
    path: `${path}/password`,
    operationId: "changeOwnPassword",
    access: { permission: "account:self" },
    summary: "Change your own password; your other sessions end",
    body: passwordBody,
    answers: { 204: { description: "Changed." } },
    async handle({ context, actor, caller, body }) {
      if (caller?.session === undefined || caller.user === undefined) {
        throw new GatewayError("request.invalid", "Sign in to change your password; a token is not enough.");
      }
      await changeOwnPassword(context, actor, caller.user, await body(), caller.session.id);
      return emptyAnswer();
    },
  });
}
