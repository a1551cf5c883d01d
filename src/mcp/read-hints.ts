import type { ToolHints } from "../pipeline/held-call.ts";
import { isObject } from "./wire/json-rpc.ts";

/** The hints among a tool's `annotations`, as they came over the wire: those that are true or false. */
export function readHints(annotations: unknown): ToolHints {
  if (!isObject(annotations)) return none;
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = annotations[name];
      return typeof value === "boolean" ? [[name, value]] : [];
    }),
  );
}

const names = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const;
const none: ToolHints = {};
