/** A place in an AsyncAPI document that leads nowhere. */
export interface ChannelFault {
  readonly path: readonly string[];
  readonly message: string;
}

interface AsyncDocument {
  readonly asyncapi: string;
  readonly operations?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Operations whose channel is not there, with their places (AsyncAPI 3.0.0, Operation Object: `channel` is a reference, and
 * leads to a channel of the root or of the components). Empty for 2.x, in which operations stand in their channels.
 */
export function asyncChannelFaults(document: AsyncDocument): readonly ChannelFault[] {
  if (!document.asyncapi.startsWith("3.")) return [];
  return Object.entries(document.operations ?? {}).flatMap(([name, operation]): ChannelFault[] => {
    if (!isObject(operation) || "$ref" in operation) return []; // an operation that is itself elsewhere
    const path = ["operations", name, "channel"];
    const { channel } = operation;
    const reference = isObject(channel) ? channel["$ref"] : undefined;
    if (typeof reference !== "string") return [{ path, message: "an operation refers to its channel by `$ref`" }];
    const at = [...path, "$ref"];
    if (!/^#\/(channels|components\/channels)\/[^/]+$/.test(reference))
      return [{ path: at, message: `${shown(reference)} is no channel of this document` }];
    return leadsSomewhere(document, reference) ? [] : [{ path: at, message: `${shown(reference)} leads nowhere` }];
  });
}

/** Follows a JSON pointer in a fragment (RFC 6901, 6). */
function leadsSomewhere(document: unknown, reference: string): boolean {
  let at = document;
  for (const step of reference.slice(2).split("/")) {
    const name = decoded(step).replaceAll("~1", "/").replaceAll("~0", "~");
    if (!isObject(at) || !Object.hasOwn(at, name)) return false;
    at = at[name];
  }
  return isObject(at);
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step; // no escapes, and a name with a percent sign
  }
}

const longestShown = 200;

function shown(reference: string): string {
  return reference.length > longestShown ? `${reference.slice(0, longestShown)}…` : reference;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
