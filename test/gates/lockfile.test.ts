import { describe, expect, test } from "vitest";
import { readProjectFile } from "./project-files.ts";

interface Manifest {
  readonly version: string;
  readonly allowScripts: Readonly<Record<string, boolean>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

interface Lockfile {
  readonly version: string;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readProjectFile("package.json")) as Manifest; // our own file
const lockfile = JSON.parse(readProjectFile("package-lock.json")) as Lockfile; // npm's format 3
const packages = Object.entries(lockfile.packages).filter(([place]) => place !== "");

describe("the lock file", () => {
  test("names packages", () => {
    expect(packages.length).toBeGreaterThan(50);
  });

  test("says of no package where it was downloaded, so that any registry can serve it", () => {
    expect(packages.filter(([, locked]) => locked.resolved !== undefined).map(([place]) => place)).toEqual([]);
  });

  test("holds the checksum of every package", () => {
    const loose = packages.filter(([, locked]) => locked.integrity?.startsWith("sha512-") !== true);
    expect(loose.map(([place]) => place)).toEqual([]);
  });

  test("agrees with package.json", () => {
    const own = lockfile.packages[""];
    expect({ version: lockfile.version, ...own }).toMatchObject({
      version: manifest.version,
      dependencies: manifest.dependencies,
      devDependencies: manifest.devDependencies,
    });
  });
});

test("allowScripts says of every package with an install step whether it may run", () => {
  const withStep = packages.filter(([, locked]) => locked.hasInstallScript === true).map(([place]) => nameOf(place));
  expect(withStep).toContain("node");
  expect(withStep.filter((name) => manifest.allowScripts[name] === undefined)).toEqual([]);
});

function nameOf(place: string): string {
  return place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
}
