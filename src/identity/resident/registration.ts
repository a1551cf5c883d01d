import { randomBytes } from "node:crypto";
import type { Context } from "oidc-provider";
import { errors } from "oidc-provider";
import { makeClientSecret } from "../../core/client-secret-format.ts";
import { registeredSchema, storedMetadata } from "./client-adapter.ts";

/** Grants that a client may have which nobody here has vouched for: only those in which a person agrees. */
const openGrants: readonly string[] = ["authorization_code", "refresh_token"];

/** The library's settings for dynamic registration (RFC 7591). There is no management protocol (RFC 7592). */
export function registrationFeature(enabled: boolean): Readonly<Record<string, unknown>> {
  return {
    enabled,
    issueRegistrationAccessToken: false,
    // Called before the metadata is looked at, so this is where it is made what we take.
    idFactory: (context: Context) => {
      context.oidc.body = acceptedMetadata(context.oidc.body ?? {});
      return `dyn_${randomBytes(16).toString("hex")}`;
    },
    secretFactory: async () => makeClientSecret().secretValue,
  };
}

/**
 * What a client asks for, in the form that we give: an application type by its redirect URIs where it names none,
 * grants without those that no stranger gets, and no member of our own. Throws when what is left is not acceptable.
 */
export function acceptedMetadata(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  // `scope` would have to name scopes of the server; ours belong to the APIs and are agreed to by people.
  const { gatehouse: _ours, scope: _scope, jwks: _jwks, jwks_uri: _jwksUri, ...rest } = body;
  const parsed = registeredSchema.safeParse(rest);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new errors.InvalidClientMetadata(`${issue?.path.join(".") ?? "metadata"}: ${issue?.message ?? "not valid"}`);
  }
  const said = parsed.data;
  const asked = rest["grant_types"] === undefined ? ["authorization_code"] : said.grant_types;
  const grants = asked.filter((grant) => openGrants.includes(grant));
  if (!grants.includes("authorization_code")) {
    throw new errors.InvalidClientMetadata(
      "grant_types must have authorization_code: other grants are for clients that an administrator has made",
    );
  }
  const applicationType = rest["application_type"] ?? (said.redirect_uris.some(isNativeRedirect) ? "native" : "web");
  storedMetadata({ ...said, application_type: applicationType === "native" ? "native" : "web" });
  return { ...rest, application_type: applicationType, grant_types: grants, response_types: ["code"] };
}

function isNativeRedirect(uri: string): boolean {
  const url = URL.parse(uri);
  if (url === null) return false;
  return url.protocol === "http:"
    ? ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname)
    : url.protocol !== "https:";
}
