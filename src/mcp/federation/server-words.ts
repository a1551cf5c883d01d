import type { McpFacts } from "../backend.ts";

/** More would drown what its tools say of themselves. */
const mostUnits = 200;

/** A server in few words, 200 characters at most: its name, and its title and description or how its instructions begin. */
export function serverWords(name: string, { serverInfo, instructions = "" }: McpFacts): string {
  const said = ["title", "description"].map((member) => serverInfo[member]).filter((each) => typeof each === "string");
  const words = [name, ...said, ...(said.length === 0 ? [instructions] : [])].filter((each) => each.trim() !== "");
  return words.join(" ").slice(0, mostUnits).toWellFormed();
}
