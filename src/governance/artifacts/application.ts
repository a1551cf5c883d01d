import { z } from "zod";
import { nameApiKeys } from "../../core/api-key-names.ts";
import { apiKeyView } from "../../core/api-key-spec.ts";
import { application } from "../../core/application.ts";
import type { ApiKeyRow, CatalogTransaction } from "../../core/catalog.ts";
import { defineForm } from "./artifact-form.ts";

/** Keys of one application that rules see, the oldest first. */
const mostKeys = 1_000;
/** Rows read at a time. */
const pageRows = 200;

const key = z.strictObject({
  name: z.string(),
  api: z.looseObject({ kind: z.string(), name: z.string() }).optional(),
  environment: z.enum(["production", "sandbox"]),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable().meta({ description: "Null: never." }),
  permittedIps: z.array(z.string()).meta({ description: "Empty: from everywhere." }),
  permittedReferrers: z.array(z.string()).meta({ description: "Empty: from every page." }),
  allow: z.array(z.string()).nullable().meta({ description: "Globs of models or tools; null: all." }),
  budgets: z.array(z.looseObject({})),
});

/** An application with the keys that count for it and are not revoked: how long they last, and from where they open what. */
export const applicationForm = defineForm(
  application,
  {
    keys: z
      .array(key)
      .max(mostKeys)
      .meta({ title: "Keys", description: `At most ${mostKeys}, the oldest first.` }),
  },
  async (read, { name }) => {
    const resource = await read?.resources.find("Application", name);
    if (read === undefined || resource === undefined) return { keys: [] };
    const rows = await liveKeys(read, resource.id);
    const live = await nameApiKeys(read, rows);
    return {
      keys: live.map((row) => {
        const { metadata, spec } = apiKeyView(row);
        const { displayName: _displayName, application: _application, ...bounds } = spec;
        return { name: metadata.name, createdAt: metadata.createdAt, ...bounds };
      }),
    };
  },
);

async function liveKeys(read: CatalogTransaction, applicationId: string): Promise<readonly ApiKeyRow[]> {
  const found: ApiKeyRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await read.apiKeys.list({ applicationId }, { limit: pageRows, cursor });
    found.push(...page.rows.filter(({ revokedAtMs }) => revokedAtMs === null));
    cursor = page.next;
  } while (cursor !== undefined && found.length < mostKeys);
  return found.slice(0, mostKeys);
}
