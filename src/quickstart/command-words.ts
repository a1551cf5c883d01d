import { join, relative } from "node:path";
import type { PastePlace } from "./print-llm.ts";
import { shellQuoted } from "./shell-quoted.ts";

/** What a line to paste calls this program by, wherever it is pasted, and the option that leads it to this gateway. */
export function commandWords(
  dataPath: string,
  { cwd, node }: PastePlace,
): { readonly gatehouse: string; readonly data: string } {
  const near = (path: string): string => {
    const found = relative(cwd, path);
    return shellQuoted(found.startsWith("..") ? path : `./${found}`);
  };
  return {
    gatehouse: `${near(node)} ${near(join(import.meta.dirname, "../../bin/gatehouse.cjs"))}`,
    data: `--data ${near(dataPath)}`,
  };
}
