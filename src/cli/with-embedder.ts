import { z } from "zod";
import type { Config } from "../config.ts";
import type { CompiledEmbedder } from "../embedding/define-embedder.ts";
import { createEmbedderSet } from "../embedding/embedder-set.ts";
import { embedders } from "../embedding/index.ts";
import { createVectorCache } from "../embedding/vector-cache.ts";
import { GatewayError } from "../kernel/errors.ts";
import { createNetworkPolicy, developmentReach } from "../kernel/network-policy.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { createSafeFetch } from "../kernel/safe-fetch.ts";
import { commandLog } from "./command-log.ts";
import type { CommonOptions } from "./common-options.ts";
import type { Shell } from "./shell.ts";

export interface EmbeddingOptions extends CommonOptions {
  /** Another embedder than the configured one. */
  readonly use?: string;
  /** Its configuration, as JSON. */
  readonly with?: string;
}

/**
 * Does some work with an embedder: the configured one, or another that the options name. It opens no port and no vault: a
 * provider's key is read from the shell when the embedder asks for it.
 */
export async function withEmbedder(
  config: Config,
  options: EmbeddingOptions,
  shell: Shell,
  work: (embedder: CompiledEmbedder) => Promise<void>,
): Promise<void> {
  const own =
    options.use === undefined ? config.embedding : { use: options.use, with: mappingOf(options.with ?? "{}") };
  const log = commandLog(shell);
  let key: Promise<string> | undefined;
  // Whoever calls the command has chosen the address.
  await using fetch = createSafeFetch({
    policy: createNetworkPolicy({ allowCidrs: config.network.allowCidrs ?? [], operatorReach: developmentReach }),
  });
  const secrets = { read: (name: string) => (key ??= shell.readSecret(`Value of the secret ${name}: `)) };
  const cache = createVectorCache({ maxBytes: config.embedding.cacheBytes, log });
  await using set = createEmbedderSet({
    plugins: embedders,
    own,
    tools: { clock: shell.clock, log, fetch, secrets },
    cache,
  });
  // A pause between two tries keeps no process alive by itself.
  const keepAlive = setInterval(() => undefined, 1_000);
  try {
    await work(set.use());
  } finally {
    clearInterval(keepAlive);
  }
}

function mappingOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return z.record(z.string(), z.unknown()).parse(parseJson(text));
  } catch (cause) {
    throw new GatewayError("request.invalid", '--with takes a JSON mapping, such as \'{"model": "m"}\'.', { cause });
  }
}
