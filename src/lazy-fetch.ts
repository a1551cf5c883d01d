import type { NetworkPolicy } from "./kernel/network-policy.ts";
import type { SafeFetch, SafeFetchOptions } from "./kernel/safe-fetch.ts";

/** `createSafeFetch`, loaded at its first use: most gateways fetch nothing, and its library is large. */
export function createLazyFetch(policy: NetworkPolicy): SafeFetch {
  let loaded: Promise<SafeFetch> | undefined;
  const load = (): Promise<SafeFetch> =>
    (loaded ??= import("./kernel/safe-fetch.ts").then(({ createSafeFetch }) => createSafeFetch({ policy })));
  return Object.assign(async (url: string | URL, options: SafeFetchOptions) => (await load())(url, options), {
    [Symbol.asyncDispose]: async () => (await loaded)?.[Symbol.asyncDispose](),
  });
}
