import { createRequire } from "node:module";
import type * as YamlPackage from "yaml";

/** The `yaml` package, loaded at the first call: a process that serves keeps what it has once loaded. */
export function loadYaml(): typeof YamlPackage {
  return createRequire(import.meta.url)("yaml") as typeof YamlPackage; // the package's own types; `require` knows none
}
