"use strict";
// A child of `start` while the compile cache is cold: loads all that a gateway may ever load, so that the cache has it,
// and ends. What strips types takes some 15 MB that a process never gives back; this way the one that serves has no need of it.

const { readFileSync } = require("node:fs");
const { enableCompileCache, registerHooks } = require("node:module");
const { join } = require("node:path");
const { fileURLToPath, pathToFileURL } = require("node:url");

const sources = pathToFileURL(join(__dirname, "..", "src")).href;
// The table of all commands; of these only one is wanted.
const commands = `${sources}/cli/program.ts`;
const waiting = new Set([`${sources}/cli.ts`, `${sources}/cli/start.ts`]);

enableCompileCache(process.argv[2]);
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    if (resolved.url.startsWith(`${sources}/`)) waiting.add(resolved.url);
    return resolved;
  },
});

warm().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

async function warm() {
  // Grows while it is gone through: whatever a file imports comes in, now or only when it is needed.
  for (const url of waiting) {
    await import(url);
    if (url !== commands) for (const later of importedLater(url)) waiting.add(later);
  }
}

function importedLater(url) {
  const text = readFileSync(fileURLToPath(url), "utf8");
  return [...text.matchAll(/\bimport\("(\.[^"]+)"\)/g)].map(([, specifier]) => new URL(specifier, url).href);
}
