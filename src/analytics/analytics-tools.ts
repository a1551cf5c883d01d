import type { AdHocReader } from "./ad-hoc-reader.ts";
import type { CaptureReader } from "./capture-reader.ts";
import type { ExchangeFinder } from "./explain-rows.ts";
import type { LiveReader } from "./live-reader.ts";
import type { RowExporter } from "./row-exporter.ts";
import type { RowPruner } from "./row-pruner.ts";

/** What analysts and operators do with the recorded rows, beside asking the questions of `AnalyticsReader`. */
export interface AnalyticsTools {
  readonly adHoc: AdHocReader;
  readonly exchanges: ExchangeFinder;
  readonly captures: CaptureReader;
  readonly live: LiveReader;
  readonly exporter: RowExporter;
  readonly pruner: RowPruner;
}

/** Gives the tools, and opens the store for them. Throws `analytics.not_available` where there is none. */
export type OpenAnalyticsTools = () => Promise<AnalyticsTools>;
