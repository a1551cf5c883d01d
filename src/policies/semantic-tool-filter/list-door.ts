import { GatewayError } from "../../kernel/errors.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Exchange } from "../../pipeline/exchange.ts";
import type { ListedTools, ToolChooser } from "../../pipeline/offered-tools.ts";
import type { OnError } from "../../pipeline/plugin.ts";
import type { ToolFilter } from "./compile-filter.ts";

/**
 * Has a server's list of tools filtered by the task that it is asked for. The list comes long after the policy's own step,
 * so what `onError` says is done here.
 */
export function filterList(listed: ListedTools, exchange: Exchange, filter: ToolFilter, onError: OnError): void {
  listed.narrow((tools, listing) => {
    const stays = tools.map(() => true);
    const all = (error: unknown): readonly boolean[] => {
      if (onError === "continue") return stays;
      throw new GatewayError("policy.failed", "The tools could not be compared with the task.", { cause: error });
    };
    const door = {
      listing,
      read: () => tools,
      query: listed.task,
      isNeeded: () => false,
      mayBeEmpty: true,
      isTagged: false,
      keep(kept: readonly { readonly index: number }[]) {
        stays.fill(false);
        for (const { index } of kept) stays[index] = true;
      },
    };
    return settled(() => filter(door, exchange), stays, all);
  });
}

function settled(
  run: () => MaybePromise<void>,
  stays: readonly boolean[],
  failed: (error: unknown) => readonly boolean[],
): ReturnType<ToolChooser> {
  try {
    const done = run();
    return done instanceof Promise ? done.then(() => stays, failed) : stays;
  } catch (error) {
    return failed(error);
  }
}
