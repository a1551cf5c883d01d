import { adHocLimits } from "../../../analytics/ad-hoc-reader.ts";

/**
 * What bounds a statement of an analyst, as settings of ClickHouse. `readonly` itself is not here: the embedded engine has
 * it on the connection, and a server's user is one who may only read.
 */
export const adHocSettings: Readonly<Record<string, number>> = {
  max_execution_time: adHocLimits.seconds,
  max_result_rows: adHocLimits.rows,
  max_result_bytes: adHocLimits.resultBytes,
  max_memory_usage: adHocLimits.memoryBytes,
  max_rows_to_read: adHocLimits.rowsRead,
  max_threads: 2,
};
