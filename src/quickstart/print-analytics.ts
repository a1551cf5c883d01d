import { commandWords } from "./command-words.ts";
import type { PastePlace } from "./print-llm.ts";
import { shellQuoted } from "./shell-quoted.ts";

const statement = [
  "SELECT api_name, operation_kind, operation_name, outcome, route_name, cost, duration_ms",
  "FROM exchanges ORDER BY ts DESC LIMIT 20",
].join(" ");

/** Lines to paste that ask for all that was called, in SQL. */
export function analyticsLines({ path }: { readonly path: string }, place: PastePlace): readonly string[] {
  const { gatehouse, data } = commandWords(path, place);
  return [
    "",
    "# all of that in SQL, a second or two after it was called",
    `${gatehouse} analytics query ${shellQuoted(statement)} ${data}`,
  ];
}
