import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import type { CoreContext } from "./core-context.ts";
import type { FetchedDescription } from "./mcp-openapi.ts";

/** Descriptions that were fetched for a publication. */
export interface FetchedDescriptions {
  /** The spec as a revision holds it: with the description in place of its address. Throws when it was not fetched. */
  settle(spec: unknown): unknown;
}

const sourceSchema = z.looseObject({
  openapi: z.looseObject({ url: z.string(), follow: z.boolean().default(false), document: z.undefined().optional() }),
});

/** Fetches what these specs name by address, each once, before there is a transaction to wait for it. */
export async function fetchDescriptions(context: CoreContext, specs: readonly unknown[]): Promise<FetchedDescriptions> {
  const fetched = new Map<string, FetchedDescription>();
  for (const spec of specs) {
    const source = sourceSchema.safeParse(spec).data?.openapi;
    if (source === undefined || fetched.has(keyOf(source))) continue;
    if (context.fetchDescription === undefined) {
      throw new GatewayError("publish.refused", "Nothing is fetched here: give the description as `openapi.document`.");
    }
    fetched.set(keyOf(source), await context.fetchDescription(source.url, source.follow));
  }
  return {
    settle(spec) {
      const found = sourceSchema.safeParse(spec).data;
      if (found === undefined) return spec;
      const { url, follow, ...rest } = found.openapi;
      const description = fetched.get(keyOf({ url, follow }));
      if (description === undefined) {
        throw new GatewayError("resource.changed", "The description's address was changed meanwhile; publish again.");
      }
      const { document, others, sha256 } = description;
      return { ...found, openapi: { ...rest, document, source: { url, sha256, others } } };
    },
  };
}

function keyOf({ url, follow }: { readonly url: string; readonly follow: boolean }): string {
  return `${String(follow)} ${url}`;
}
