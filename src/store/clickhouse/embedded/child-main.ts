// The process that the embedded ClickHouse runs in. Started by start-embedded-clickhouse.ts, never by hand.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setPriority } from "node:os";
import { systemClock } from "../../../kernel/clock.ts";
import type { ChdbEngine } from "./chdb-engine.ts";
import { openChdbEngine } from "./chdb-engine.ts";
import type { ChildMessage, OpenMessage } from "./child-messages.ts";
import { openMessageSchema } from "./child-messages.ts";
import { createClickHouseFace } from "./clickhouse-face.ts";
import { lockEngineDirectory } from "./lock-engine-directory.ts";

const usageEveryMs = 5_000;
const lockWaitMs = 15_000;

// A parent that is gone takes no more rows; what was answered is on disk, and a statement that runs cannot be called
// off. So not even `exit`, which would wait for it.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
// Ctrl-C goes to the whole group; the parent decides when the engine ends.
process.on("SIGINT", () => undefined);
process.once("message", (message) => void start(openMessageSchema.parse(message)));

// Before any thread of the engine is there: they inherit it. Requests come first, analytics when there is time.
setPriority(10);

async function start(options: OpenMessage): Promise<void> {
  const engine = await open(options);
  if (engine === undefined) return;
  const server = createServer({ keepAliveTimeout: 60_000 }, createClickHouseFace({ engine, secret: options.secret }));
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo; // a TCP server that listens has one
    tell({ type: "ready", port, version: engine.version });
    tellUsage();
  });
}

async function open({ directory, memoryBytes, database, stuckAfterMs }: OpenMessage): Promise<ChdbEngine | undefined> {
  try {
    // Held until this process ends: the engine itself lets two processes into one directory, and they would spoil it.
    await lockEngineDirectory(directory, lockWaitMs, systemClock);
    const stuck = { afterMs: stuckAfterMs, clock: systemClock, end: endStuck };
    return await openChdbEngine({ directory, memoryBytes, database, stuck });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    tell({ type: isMissing(error) ? "unavailable" : "failed", reason: reason.slice(0, 2_000) }, () => process.exit(1));
    return undefined;
  }
}

/** Nothing else ends it: its thread would go on for hours, and all other statements of analysts would wait for it. */
function endStuck(): void {
  const end = (): void => void process.kill(process.pid, "SIGKILL");
  tell({ type: "failed", reason: "a statement of an analyst could not be ended" }, end);
}

/** The package is optional: left out, or without an engine for this system. */
function isMissing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return /MODULE_NOT_FOUND|ERR_DLOPEN_FAILED|CHDB_PLATFORM|CHDB_BINARY/.test(code) || /platform/i.test(error.name);
}

function tellUsage(): void {
  tell({ type: "usage", rssBytes: process.memoryUsage.rss() });
  systemClock.after(usageEveryMs, tellUsage);
}

function tell(message: ChildMessage, then?: () => void): void {
  process.send?.(message, () => then?.());
}
