import { writeSync } from "node:fs";
import { openSqliteCatalog } from "../../../src/store/sqlite/open-sqlite-catalog.ts";
import { sampleAudit, sampleResource } from "../../contract/sample-rows.ts";

// Writes until it is killed, and says what was acknowledged: one id a line.
const [, , path = ""] = process.argv;
const catalog = await openSqliteCatalog({ path });
for (;;) {
  const resource = sampleResource();
  await catalog.transaction(async (tx) => {
    await tx.resources.insert(resource);
    await tx.audit.insert(sampleAudit(resource));
  });
  writeSync(1, `${resource.id}\n`);
}
