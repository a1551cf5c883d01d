import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { SealedEntry, SealedPlace, SealedTable } from "../../core/sealed-values.ts";
import { sealedSettings } from "../../core/sealed-values.ts";
import type { SealedValue } from "../../kernel/crypto.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { closePage, openPage } from "./page-cursor.ts";

/** Where the values of a place are; `order` is a key of the table, of which the last columns say where a page begins. */
interface Columns {
  readonly table:
    | "secrets"
    | "inlineSecrets"
    | "signingKeys"
    | "oauthState"
    | "upstreamCredentials"
    | "upstreamClients"
    | "settings";
  readonly sealed: string;
  readonly key: readonly string[];
  readonly identity: readonly string[];
}

const columns: Readonly<Record<SealedPlace, Columns>> = {
  secret: { table: "secrets", sealed: "sealed", key: ["id"], identity: ["id"] },
  inline: { table: "inlineSecrets", sealed: "sealed", key: ["id"], identity: ["holderId", "path", "id"] },
  "signing-key": { table: "signingKeys", sealed: "sealed", key: ["kid"], identity: ["kid"] },
  "oauth-state": { table: "oauthState", sealed: "payload", key: ["model", "idHash"], identity: ["model", "idHash"] },
  "upstream-credential": { table: "upstreamCredentials", sealed: "sealed", key: ["id"], identity: ["id"] },
  "upstream-client": { table: "upstreamClients", sealed: "sealed", key: ["id"], identity: ["id"] },
  setting: { table: "settings", sealed: "value", key: ["name"], identity: ["name"] },
};

/** Sealed values of every place, as `SealedTable` promises them. */
export function sealedValueTable(db: Kysely<CatalogTables>): SealedTable {
  return {
    async count(place, keyId) {
      const { table, sealed } = columns[place];
      const row = await rowsOf(db, place)
        .select((row) => row.fn.countAll<number | string>().as("count"))
        .$if(keyId !== undefined, (query) => query.where(sql.ref(`${table}.${sealed}`), "like", sealedBy(keyId ?? "")))
        .executeTakeFirst();
      return Number(row?.count ?? 0);
    },
    async notBy(place, keyId, page) {
      const { table, sealed, key } = columns[place];
      const { after } = openPage(place, page);
      const position = sql.join(key.map((column) => sql.ref(`${table}.${column}`)));
      const found = await rowsOf(db, place)
        .selectAll()
        .where(sql.ref(`${table}.${sealed}`), "not like", sealedBy(keyId))
        .$if(after !== undefined, (query) =>
          query.where(sql<boolean>`(${position}) > (${sql.join((after ?? "").split("/"))})`),
        )
        .orderBy(sql`${position}`)
        .limit(page.limit + 1)
        .execute();
      return closePage(place, page, found, {
        row: (row) => entryOf(place, row),
        position: (row) => key.map((column) => textOf(row, column)).join("/"),
      });
    },
    async replace(entry, sealed) {
      const { table, sealed: column, key } = columns[entry.place];
      const stored = (value: SealedValue): string =>
        JSON.stringify(entry.place === "setting" ? { id: entry.identity[1], sealed: value } : value);
      const keys = key.map((name) => entry.identity[columns[entry.place].identity.indexOf(name)] ?? "");
      const result = await sql`
        update ${sql.table(table)} set ${sql.ref(column)} = ${stored(sealed)}
        where (${sql.join(key.map((name) => sql.ref(name)))}) = (${sql.join(keys)})
          and ${sql.ref(column)} = ${stored(entry.sealed)}`.execute(db);
      return (result.numAffectedRows ?? 0n) > 0n;
    },
  };
}

function rowsOf(db: Kysely<CatalogTables>, place: SealedPlace) {
  const { table } = columns[place];
  const query = db.selectFrom(table as "settings"); // the columns come from the table above, not from this type
  return place === "setting" ? query.where("name", "in", [...sealedSettings]) : query;
}

// As `JSON.stringify` writes it. `_` stands for any character there, which two ids that differ in nothing else would notice.
function sealedBy(keyId: string): string {
  return `%"kid":"${keyId}"%`;
}

function entryOf(place: SealedPlace, row: object): SealedEntry {
  const { sealed, identity } = columns[place];
  const stored: unknown = parseJson(textOf(row, sealed));
  const names = identity.map((column) => textOf(row, column));
  if (place !== "setting") return { place, identity: names, sealed: stored as SealedValue }; // written by `seal` only
  const setting = stored as { readonly id: string; readonly sealed: SealedValue }; // those of the list hold no other
  return { place, identity: [...names, setting.id], sealed: setting.sealed };
}

function textOf(row: object, column: string): string {
  return String(Reflect.get(row, column));
}
