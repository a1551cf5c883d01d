import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory of the test's own, gone with everything in it when disposed. */
export function temporaryDirectory(): Disposable & { file(name: string): string } {
  const path = mkdtempSync(join(tmpdir(), "gatehouse-store-"));
  return {
    file: (name) => join(path, name),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
