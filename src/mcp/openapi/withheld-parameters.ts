import type { JsonObject } from "./json-object.ts";
import { isJsonObject, objectMember, textMember } from "./json-object.ts";
import type { OpenApiDocument } from "./openapi-document.ts";
import { dereference } from "./openapi-document.ts";

/** Headers that the gateway, its connection or the upstream's credential decide, never a caller's argument. */
const ownHeaders = new Set(
  (
    "accept accept-encoding authorization connection content-encoding content-length content-type cookie cookie2 date " +
    "expect forwarded host http2-settings keep-alive max-forwards mcp-method mcp-name mcp-protocol-version " +
    "mcp-session-id origin referer set-cookie te traceparent tracestate trailer transfer-encoding upgrade user-agent via " +
    "x-http-method x-http-method-override x-method-override x-original-url x-real-ip x-rewrite-url"
  ).split(" "),
);
const ownHeaderGroups = /^(proxy|sec|x-forwarded|x-envoy|mcp-param)-/;
/** Names under which credentials go where a description forgets to call them security. */
const credentialNames =
  /^(x-)?(amz-security-token|api[-_]?key|apikey|auth[-_]?token|access[-_]?token|authorization|csrf[-_]?token|gitlab-token|private-token|vault-token)$/i;

/** Says why a parameter is no argument of a tool, or undefined where it may be one. */
export type WithheldReason = (location: string, name: string) => "credential" | "header" | "cookie" | undefined;

/** For one document: what its security schemes name is withheld wherever it occurs, and what everybody knows as a credential. */
export function withheldParameters(document: OpenApiDocument): WithheldReason {
  const keys = credentialPlaces(document);
  return (location, name) => {
    if (location === "cookie") return "cookie";
    const isHeader = location === "header";
    if (keys.has(`${location} ${isHeader ? name.toLowerCase() : name}`)) return "credential";
    if (isHeader && (ownHeaders.has(name.toLowerCase()) || ownHeaderGroups.test(name.toLowerCase()))) return "header";
    return location !== "path" && credentialNames.test(name) ? "credential" : undefined;
  };
}

function credentialPlaces(document: OpenApiDocument): ReadonlySet<string> {
  const schemes = Object.values(objectMember(objectMember(document.root, "components"), "securitySchemes"));
  return new Set(
    schemes.flatMap((value) => {
      const scheme = schemeOf(document, value);
      const name = textMember(scheme, "name");
      const location = textMember(scheme, "in");
      if (textMember(scheme, "type") !== "apiKey" || name === undefined || location === undefined) return [];
      return [`${location} ${location === "header" ? name.toLowerCase() : name}`];
    }),
  );
}

function schemeOf(document: OpenApiDocument, value: unknown): JsonObject {
  try {
    const scheme = dereference(document, value).value;
    return isJsonObject(scheme) ? scheme : {};
  } catch {
    return {}; // a scheme that leads nowhere withholds nothing, and keeps nobody from the rest of the document
  }
}
