import type { JsonObject } from "./json-object.ts";
import { isJsonObject, listMember, objectMember, ownMember, textMember } from "./json-object.ts";
import type { OpenApiDocument } from "./openapi-document.ts";

/**
 * The first server of the innermost place that names one, with its variables filled in: by `variables` where the
 * description allows the value, else by their defaults. Undefined where that is no http(s) address. It is what the
 * description says of itself, no more: whether it may be called is for the operator to decide.
 */
export function serverAddress(
  document: OpenApiDocument,
  places: readonly JsonObject[],
  variables: ReadonlyMap<string, string> = new Map(),
): string | undefined {
  const holder = [...places, document.root].find((place) => listMember(place, "servers").length > 0);
  const [server] = holder === undefined ? [] : listMember(holder, "servers");
  const template = isJsonObject(server) ? (textMember(server, "url") ?? "/") : "/";
  const values = isJsonObject(server) ? objectMember(server, "variables") : {};
  const filled = template.replace(/\{([^{}]+)\}/g, (_, name: string) => valueOf(values, name, variables));
  if (!URL.canParse(filled, document.address)) return undefined;
  const url = new URL(filled, document.address);
  const isPlain = url.username === "" && url.password === "" && /^https?:$/.test(url.protocol);
  return isPlain ? `${url.origin}${url.pathname}`.replace(/\/+$/, "") : undefined;
}

function valueOf(values: JsonObject, name: string, variables: ReadonlyMap<string, string>): string {
  const variable = objectMember(values, name);
  const wanted = variables.get(name);
  const allowed = listMember(variable, "enum");
  if (wanted !== undefined && (allowed.length === 0 || allowed.includes(wanted))) return wanted;
  const preset = ownMember(variable, "default");
  return typeof preset === "string" || typeof preset === "number" ? String(preset) : "";
}
