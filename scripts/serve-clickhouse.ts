import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/kernel/clock.ts";
import { startEmbeddedClickHouse } from "../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";

// Serves the embedded engine, empty, until it is stopped, and prints its address for CLICKHOUSE_URL: the way of the store's
// tests to a server can be tried so where there is none. It is not ClickHouse's own HTTP server, and has no user for statements.
const directory = mkdtempSync(join(tmpdir(), "gatehouse-served-"));
const none = (): void => undefined;
const log = { debug: none, info: none, warn: none, error: none };
const embedded = startEmbeddedClickHouse({ directory, memoryBytes: 1_073_741_824, clock: systemClock, log });
const { url, writer } = await embedded.find();
process.stdout.write(`${url.replace("//", `//${writer.username}:${writer.password}@`)}\n`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void embedded[Symbol.asyncDispose]().then(() => rmSync(directory, { recursive: true, force: true }));
  });
}
