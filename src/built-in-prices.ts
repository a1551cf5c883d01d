import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "./kernel/parse-json.ts";
import type { PriceTable } from "./pipeline/price-table.ts";
import { createPriceTable } from "./pipeline/price-table.ts";

/** The price table of this build. */
export function readBuiltInPrices(): PriceTable {
  return createPriceTable(parseJson(readFileSync(join(import.meta.dirname, "../assets/prices.json"), "utf8")));
}
