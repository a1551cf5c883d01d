import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "./kernel/parse-json.ts";
import type { ModelTable } from "./pipeline/model-table.ts";
import { createModelTable } from "./pipeline/model-table.ts";

/** What this build knows of models. */
export function readBuiltInModels(): ModelTable {
  return createModelTable(parseJson(readFileSync(join(import.meta.dirname, "../assets/models.json"), "utf8")));
}
