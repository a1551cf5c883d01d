import pino from "pino";
import type { Config } from "./config.ts";
import type { Log } from "./kernel/log.ts";

/** The log of a process: JSON lines on its standard error. */
export function createLog(config: Config): Log {
  return pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: false }));
}
