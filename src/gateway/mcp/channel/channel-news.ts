import type { McpFilter } from "../../../mcp/backend.ts";
import type { Listener, StandaloneStream } from "../upstream-server/standalone-stream.ts";
import { wants } from "../upstream-server/standalone-stream.ts";

/** News of a server whose channel is open anyway: who listens hears what comes on it until it ends. */
export interface ChannelNews extends StandaloneStream {
  /** The channel is over: nobody hears anything any more. */
  end(error: unknown): void;
}

/** Nobody listens yet. */
export function createChannelNews(): ChannelNews {
  const listeners = new Set<Listener>();
  let isOver = false;
  const end = (settle: (listener: Listener) => void): void => {
    isOver = true;
    for (const listener of listeners) settle(listener);
    listeners.clear();
  };
  return {
    get isHeard() {
      return listeners.size > 0;
    },
    tell(news) {
      let isHeard = false;
      for (const { filter, context } of listeners) {
        if (!wants(filter, news, context)) continue;
        isHeard = true;
        void Promise.resolve(context.notify(news)).catch(() => undefined); // who has left hears nothing
      }
      return isHeard;
    },
    async listen(filter: McpFilter, context) {
      const listener: Listener = { filter, context, ended: Promise.withResolvers() };
      listener.ended.promise.catch(() => undefined); // whoever wants to know looks at it
      if (isOver) listener.ended.resolve();
      else listeners.add(listener);
      return {
        accepted: isOver ? {} : filter,
        ended: listener.ended.promise,
        close() {
          if (listeners.delete(listener)) listener.ended.resolve();
        },
      };
    },
    end: (error) => end(({ ended }) => ended.reject(error)),
    close: () => end(({ ended }) => ended.resolve()),
  };
}
