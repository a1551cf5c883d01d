"use strict";
// Loaded by gatehouse.cjs for `start`, once the version of Node is known to do.

const { spawnSync } = require("node:child_process");
const { createHash } = require("node:crypto");
const { accessSync, constants, existsSync, readdirSync, readFileSync, statSync, writeFileSync } = require("node:fs");
const { getCompileCacheDir } = require("node:module");
const { join } = require("node:path");

const root = join(__dirname, "..");
const timeoutMs = 30_000;

/**
 * Sees to it that every source is in the compile cache of `folder`, by a child process when the sources are not those
 * that it was last filled from. Without a cache, or a folder to write it to, it does nothing; whatever fails, the start
 * goes on and strips by itself.
 */
function warmCache(folder) {
  // A child would stop at the debugger's door.
  const isDebugged = /--inspect/.test(`${process.execArgv.join(" ")} ${process.env.NODE_OPTIONS ?? ""}`);
  // Of this version of Node with these flags for this user: another combination has another folder, and its own stamp.
  const cache = getCompileCacheDir();
  if (isDebugged || cache === undefined || existsSync(join(root, "dist", "cli.js"))) return;
  try {
    const stampFile = join(cache, "sources");
    const stamp = stampOf(join(root, "src"));
    if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
    accessSync(cache, constants.W_OK);
    const args = [...process.execArgv, join(__dirname, "load-everything.cjs"), folder];
    const { status } = spawnSync(process.execPath, args, { stdio: "ignore", timeout: timeoutMs });
    // Two that start at once write the same.
    if (status === 0) writeFileSync(stampFile, stamp);
  } catch {
    // Read-only, or sources that somebody is moving about: a cold start is slower and larger, and works.
  }
}

function stampOf(folder) {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder, { recursive: true }).sort()) {
    if (!name.endsWith(".ts")) continue;
    const { size, mtimeMs } = statSync(join(folder, name));
    hash.update(`${name} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex");
}

module.exports = { warmCache };
