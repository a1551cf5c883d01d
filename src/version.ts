import { readFileSync } from "node:fs";
import { parseJson } from "./kernel/parse-json.ts";

/** This build's version, as its package says. */
export const gatehouseVersion: string = readVersion();

function readVersion(): string {
  const parsed: unknown = parseJson(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const version = parsed !== null && typeof parsed === "object" && "version" in parsed ? parsed.version : undefined;
  return typeof version === "string" ? version : "0.0.0";
}
