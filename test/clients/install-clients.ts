import { join } from "node:path";
import { testPackages } from "../kit/install-packages.ts";

const folder = import.meta.dirname;
const packages = testPackages(folder);

/** Installs other people's clients, servers and suites, which only the tests of this folder need. */
export const setup = packages.install;

/** Whether everything that test/clients/package-lock.json names is there. */
export const clientsAreInstalled = packages.areInstalled;

/** Absolute path of a file of an installed package: `conformance-next/dist/index.js`. */
export function clientFile(path: string): string {
  return join(folder, "node_modules", path);
}
