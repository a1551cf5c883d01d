import type { CatalogTransaction, ReferenceRow } from "./catalog.ts";
import type { Rights } from "./rights.ts";
import { holds } from "./rights.ts";
import { kindPermissions } from "./roles.ts";

/** What refers to something, without the names of holders that somebody with these rights may not see. */
export function hideHolders(tables: CatalogTransaction, rights: Rights): CatalogTransaction["references"] {
  const isSeen = async ({ holderType, holderId, holderKind }: ReferenceRow): Promise<boolean> => {
    switch (holderType) {
      case "apiKey":
        return holds(rights, "keys:read", (await tables.apiKeys.findById(holderId))?.teamId);
      case "oauthClient":
        return holds(rights, "oauth-clients:read", (await tables.oauthClients.findById(holderId))?.teamId);
      case "resource":
      case "deployment": {
        const read = holderKind === "Secret" ? "secrets:read" : kindPermissions(holderKind).read;
        return holds(rights, read, (await tables.resources.findById(holderId))?.teamId);
      }
    }
  };
  return {
    ...tables.references,
    async to(id, limit) {
      const rows = await tables.references.to(id, limit);
      return Promise.all(
        rows.map(async (row) => ((await isSeen(row)) ? row : { ...row, holderName: hiddenName, path: "" })),
      );
    },
  };
}

const hiddenName = "(of another team)";
