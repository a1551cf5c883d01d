import { isObject } from "./json-rpc.ts";

const reserved = /^io\.modelcontextprotocol\//;
/** Reserved, and yet a link between messages that both sides need. */
const relatedTask = "io.modelcontextprotocol/related-task";

/**
 * The object with its `_meta` free of every key that the protocol reserves: each side of a bridge stamps its own, and
 * neither can forge the other's. Whose task a message belongs to, trace context and whatever the parties have made up
 * stay. The same object where there is nothing to take out.
 */
export function withoutReserved(
  params: Readonly<Record<string, unknown>>,
  { progressToken = "keep" }: { readonly progressToken?: "keep" | "drop" } = {},
): Readonly<Record<string, unknown>> {
  const { _meta: meta, ...rest } = params;
  if (!isObject(meta)) return meta === undefined ? params : rest;
  const kept = Object.entries(meta).filter(
    ([name]) =>
      (!reserved.test(name) || name === relatedTask) && (name !== "progressToken" || progressToken === "keep"),
  );
  if (kept.length === Object.keys(meta).length) return params;
  return kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) };
}

/** The object with these members put into its `_meta`; those that are undefined are left out. */
export function withMeta(
  params: Readonly<Record<string, unknown>>,
  stamped: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const given = Object.entries(stamped).filter(([, value]) => value !== undefined);
  if (given.length === 0) return params;
  const meta = params["_meta"];
  return { ...params, _meta: { ...(isObject(meta) ? meta : {}), ...Object.fromEntries(given) } };
}
