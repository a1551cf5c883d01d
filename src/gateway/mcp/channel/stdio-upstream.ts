import type { StdioCommand } from "../../../core/mcp-stdio.ts";
import { Cancellation } from "../../../kernel/cancellation.ts";
import type { Clock } from "../../../kernel/clock.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { Log } from "../../../kernel/log.ts";
import type { McpBackend, McpContext } from "../../../mcp/backend.ts";
import type { UpstreamTimeouts } from "../../../pipeline/adapter.ts";
import type { SecretReader } from "../../../pipeline/plugin.ts";
import { ownContext } from "../read-lists.ts";
import { createLegacyUpstream } from "../upstream-server/legacy-upstream.ts";
import { openChannelSession } from "./channel-session.ts";
import type { StdioChannel } from "./stdio-channel.ts";
import { openStdioChannel } from "./stdio-channel.ts";

export interface StdioUpstreamParts {
  readonly allowed: StdioCommand;
  readonly secrets: SecretReader;
  readonly clock: Clock;
  readonly log: Log;
  readonly server: string;
  readonly timeouts: UpstreamTimeouts;
  readonly maxBytes: number;
}

/** A process that ended this soon has failed; the next one waits longer each time. */
const soonMs = 10_000;
const firstRestMs = 1_000;
const longestRestMs = 60_000;

/**
 * An MCP server on its standard streams as a backend: a process for each caller's client, or one for all. One that ends
 * is started again by the next call; where it keeps ending, calls are refused for a while, twice as long each time, up to
 * a minute. Disposing ends all of them, and resolves when they have gone.
 */
export function createStdioUpstream(parts: StdioUpstreamParts): McpBackend {
  const { allowed, clock, timeouts } = parts;
  const processes = new Set<StdioChannel>();
  const rest = { failures: 0, untilMs: 0 };
  let isDisposed = false;

  const start = async (): Promise<StdioChannel> => {
    if (clock.monotonic() < rest.untilMs || isDisposed) {
      throw new GatewayError(
        "upstream.unavailable",
        "The MCP server's process keeps ending; it is left alone a while.",
      );
    }
    const env = await environmentOf(parts);
    const startedMs = clock.monotonic();
    const channel = openStdioChannel({ ...allowed, env }, parts);
    processes.add(channel);
    let isLetGo = false;
    void channel.ended.then(() => {
      processes.delete(channel);
      if (isLetGo || isDisposed) return;
      rest.failures = clock.monotonic() - startedMs < soonMs ? rest.failures + 1 : 0;
      const restMs = rest.failures === 0 ? 0 : Math.min(longestRestMs, firstRestMs * 2 ** (rest.failures - 1));
      rest.untilMs = clock.monotonic() + restMs;
    });
    return {
      ...channel,
      close() {
        isLetGo = true;
        channel.close();
      },
    };
  };
  const callers = allowed.share === "server" ? "several" : "one";
  const everybody = ownContext("shared", new Cancellation());
  const backend = createLegacyUpstream({
    clock,
    open: async (context) => openChannelSession(await start(), { clock, timeouts, callers }, context),
    sessions: { maxSessions: callers === "several" ? 1 : allowed.maxProcesses, idleMs: allowed.idleMs },
    ...(callers === "several" && { holder: (): McpContext => everybody }),
  });
  return {
    ...backend,
    async dispose() {
      isDisposed = true;
      await backend.dispose();
      for (const channel of processes) channel.close();
      await Promise.all([...processes].map(({ ended }) => ended));
    },
  };
}

async function environmentOf({ allowed, secrets }: StdioUpstreamParts): Promise<Readonly<Record<string, string>>> {
  const entries = await Promise.all(
    Object.entries(allowed.env).map(async ([name, value]) => {
      const secret = /^\$\{secret:([a-z0-9-]{1,63})\}$/.exec(value)?.[1];
      return [name, secret === undefined ? value : await secrets.read(secret)] as const;
    }),
  );
  return Object.fromEntries(entries);
}
