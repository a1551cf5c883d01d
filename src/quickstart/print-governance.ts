import { apiVersion } from "../core/resource.ts";
import { commandWords } from "./command-words.ts";
import type { PastePlace } from "./print-llm.ts";
import type { QuickstartApi } from "./quickstart-file.ts";
import { shellQuoted } from "./shell-quoted.ts";

/** The MCP server that the lines make: a virtual one of `notes`. */
const shelf = "shelf";

/**
 * Lines to paste that hold an MCP server against the guidelines, have its publication refused, mend it and publish it. None
 * where there is no `notes` to make it of. Pasted again they say the same.
 */
export function governanceLines(
  apis: readonly QuickstartApi[],
  { path: dataPath }: { readonly path: string },
  place: PastePlace,
): readonly string[] {
  if (!apis.some(({ kind, name }) => kind === "McpServer" && name === "notes")) return [];
  const { gatehouse, data } = commandWords(dataPath, place);
  const apply = (spec: object) =>
    `printf '%s' ${shellQuoted(JSON.stringify({ apiVersion, kind: "McpServer", metadata: { name: shelf }, spec }))} | ${gatehouse} apply -f - ${data}`;
  const draft = {
    description: "Notes, by rule.",
    version: "1.0",
    context: `/${shelf}`,
    virtual: { servers: [{ server: "notes" }] },
  };
  return [
    "",
    `# governance: held against guidelines, ${shelf} is not published open to everybody, and for callers with a key it is`,
    `${gatehouse} governance attach gatehouse:mcp --to mcp/${shelf} --at publish --on error=block ${data}`,
    `${apply({ ...draft, security: { apiKey: false, keyless: true } })} 2>&1 || echo "refused, as it should be"`,
    apply({ ...draft, security: { apiKey: {} } }),
  ];
}
