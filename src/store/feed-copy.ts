import { appendFile, mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Keyring } from "../core/core-context.ts";
import type { FeedCopy, FeedTold } from "../core/gateway-feed.ts";
import { openValue, sealValue } from "../core/sealed-values.ts";
import type { SealedValue } from "../kernel/crypto.ts";
import { toGatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { readPrivateFile, writePrivateFile } from "./private-file.ts";

export interface FeedCopyOptions {
  /** Made where there is none. */
  readonly directory: string;
  /** Everything is sealed with these; without them the copy opens nowhere. */
  readonly keys: Keyring;
  readonly log: Log;
}

/**
 * The copy in three files: the last whole answer, a line per answer of changes since, and what was heard last. Each text
 * is sealed and bound to its place in the order, so that none can be changed, moved or left out unseen.
 */
export function openFeedCopy({ directory, keys, log }: FeedCopyOptions): FeedCopy {
  const wholePath = join(directory, "whole.json");
  const changesPath = join(directory, "changes.jsonl");
  const heardPath = join(directory, "heard.json");
  /** The version that the copy stands at; what comes next is bound to it. */
  let standing = "";

  const noteHeard = (heardAtMs: number): Promise<void> =>
    writePrivateFile(heardPath, sealed(keys, { version: standing, heardAtMs }, "heard"));

  return {
    async load() {
      try {
        const whole = await readPrivateFile(wholePath);
        const heard = await readPrivateFile(heardPath);
        if (whole === undefined || heard === undefined) return undefined;
        const told = [opened(keys, whole, "whole") as FeedTold]; // what is sealed was written below
        for (const line of await linesOf(changesPath)) {
          told.push(opened(keys, line, boundTo(versionOf(told))) as FeedTold); // as above
        }
        const { version, heardAtMs } = opened(keys, heard, "heard") as { version: string; heardAtMs: number }; // as above
        if (!told.some(({ answer }) => answer.version === version)) throw new Error("its end is missing");
        standing = versionOf(told);
        return { told, heardAtMs };
      } catch (error) {
        const { detail } = toGatewayError(error);
        log.error(
          { directory, detail, given: keys.current.id, err: error },
          "the copy of what the control plane has said cannot be used",
        );
        return undefined;
      }
    },
    async replace(told, heardAtMs) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      // Nothing is a copy while the parts are of two states.
      await writePrivateFile(heardPath, "");
      await writePrivateFile(changesPath, "");
      await writePrivateFile(wholePath, sealed(keys, told, "whole"));
      standing = told.answer.version;
      await noteHeard(heardAtMs);
    },
    async append(told, heardAtMs) {
      await appendFile(changesPath, `${sealed(keys, told, boundTo(standing))}\n`, { mode: 0o600 });
      await using file = await open(changesPath, "r+");
      await file.sync();
      standing = told.answer.version;
      await noteHeard(heardAtMs);
    },
    heard: noteHeard,
  };
}

function boundTo(version: string): string {
  return `after ${version}`;
}

function versionOf(told: readonly FeedTold[]): string {
  return told.at(-1)?.answer.version ?? "";
}

function sealed(keys: Keyring, value: unknown, place: string): string {
  return JSON.stringify(sealValue(keys, JSON.stringify(value), `gateway-copy/${place}`));
}

function opened(keys: Keyring, text: string, place: string): unknown {
  return parseJson(openValue(keys, parseJson(text) as SealedValue, `gateway-copy/${place}`));
}

async function linesOf(path: string): Promise<readonly string[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}
