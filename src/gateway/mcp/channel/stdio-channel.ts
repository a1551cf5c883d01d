import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { spawn } from "node:child_process";
import type { Clock } from "../../../kernel/clock.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { Log } from "../../../kernel/log.ts";
import { parseStrictJson } from "../../../kernel/strict-json.ts";
import type { JsonRpcMessage } from "../../../mcp/wire/json-rpc.ts";
import { readJsonRpc } from "../../../mcp/wire/json-rpc.ts";
import { channelEnded } from "./channel-session.ts";
import { createLineReader } from "./line-reader.ts";
import type { McpChannel } from "./mcp-channel.ts";

export interface StdioProcess {
  readonly command: string;
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface StdioChannelParts {
  readonly clock: Clock;
  readonly log: Log;
  /** For log lines. */
  readonly server: string;
  /** Of one message. */
  readonly maxBytes: number;
}

/** A channel whose other end is a process of ours. */
export interface StdioChannel extends McpChannel {
  /** Resolves, and never rejects, when the process has gone. */
  readonly ended: Promise<void>;
}

/** Bytes that may wait for a process that reads nothing. */
const mostUnreadBytes = 67_108_864;
const politeMs = 500;
const termMs = 1_000;
const maxDepth = 256;

/**
 * Starts the program, in a process group of its own and without a shell, and speaks with it line by line (2025-11-25,
 * basic/transports, "stdio"). What it says that is no message is passed over. Closing shuts its input, then asks the
 * group to end, then ends it. It reads its input's end also when this process is killed.
 */
export function openStdioChannel(
  { command, args, env, cwd }: StdioProcess,
  { clock, log, server, maxBytes }: StdioChannelParts,
): StdioChannel {
  const child = spawn(command, args, { env, cwd, shell: false, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  const closed = Promise.withResolvers<GatewayError>();
  const ended = Promise.withResolvers<void>();
  const early: JsonRpcMessage[] = [];
  let take: ((message: JsonRpcMessage) => void) | undefined;
  let stopTimer = (): void => {};

  const kill = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      child.kill(signal); // the group has gone, or is none
    }
  };
  const fail = (error: GatewayError): void => {
    closed.resolve(error);
    kill("SIGKILL");
  };
  child.once("error", (cause) => {
    const text = "The MCP server's command could not be run.";
    closed.resolve(new GatewayError("upstream.unreachable", text, { detail: cause.message, cause }));
    ended.resolve();
  });
  child.once("exit", () => {
    stopTimer();
    killRest(child.pid); // who of its group still holds the pipes would keep them open
  });
  child.once("close", (code, signal) => {
    closed.resolve(channelEnded(`its process ended with ${signal ?? `exit ${code}`}`));
    ended.resolve();
  });
  child.stdin.on("error", () => undefined); // it has ended, and that is told above
  readMessages(child, maxBytes, fail, (message) => {
    if (take !== undefined) take(message);
    else if (early.length < mostEarly) early.push(message);
  });
  logStderr(child, log, server, clock);
  return {
    closed: closed.promise,
    ended: ended.promise,
    hear(onMessage) {
      take = onMessage;
      for (const message of early.splice(0)) onMessage(message);
    },
    async send(message) {
      if (child.stdin.destroyed || child.stdin.writableEnded) throw await closed.promise;
      if (child.stdin.writableLength > mostUnreadBytes) {
        const error = new GatewayError("upstream.unavailable", "The MCP server's process reads nothing.");
        fail(error);
        throw error;
      }
      child.stdin.write(`${lineOf(message)}\n`);
    },
    close() {
      if (child.stdin.writableEnded) return;
      closed.resolve(channelEnded("it was let go"));
      child.stdin.end();
      stopTimer = clock.after(politeMs, () => {
        kill("SIGTERM");
        stopTimer = clock.after(termMs, () => kill("SIGKILL"));
      });
    },
  };
}

const mostEarly = 100;

/** Without U+2028 and U+2029, which JSON allows and some readers of lines take for their ends. */
function lineOf(message: object): string {
  return JSON.stringify(message).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

/** What the process has started and left behind goes with it. */
function killRest(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // There is nobody.
  }
}

function readMessages(
  { stdout }: ChildProcessWithoutNullStreams,
  maxBytes: number,
  fail: (error: GatewayError) => void,
  take: (message: JsonRpcMessage) => void,
): void {
  const reader = createLineReader(maxBytes);
  stdout.on("data", (chunk: Buffer) => {
    const lines = reader.push(chunk);
    if (lines === "too-long") {
      stdout.destroy();
      fail(new GatewayError("upstream.too_large", `The MCP server's message is longer than ${maxBytes} bytes.`));
      return;
    }
    for (const line of lines) {
      const parsed = parseStrictJson(line, maxDepth);
      const message = readJsonRpc("value" in parsed ? parsed.value : undefined);
      if (message.type !== "invalid") take(message);
    }
  });
}

const logLineCharacters = 500;
const logLinesAMinute = 60;

/** The process's own log, cut in length and number: 500 characters a line, sixty lines a minute. */
function logStderr({ stderr }: ChildProcessWithoutNullStreams, log: Log, server: string, clock: Clock): void {
  let line = "";
  let sinceMs = clock.monotonic();
  let lines = 0;
  stderr.setEncoding("utf8").on("data", (text: string) => {
    if (clock.monotonic() - sinceMs > 60_000) {
      sinceMs = clock.monotonic();
      lines = 0;
    }
    const parts = text.split("\n");
    for (const [at, part] of parts.entries()) {
      line = `${line}${part.slice(0, logLineCharacters)}`.slice(0, logLineCharacters);
      if (at === parts.length - 1) return;
      lines += 1;
      if (lines <= logLinesAMinute && line.trim() !== "") {
        log.info({ server, line: line.replace(/\p{Cc}/gu, " ").trimEnd() }, "an MCP server's process says");
      }
      line = "";
    }
  });
}
