"use strict";
// Loaded by gatehouse.cjs once the version of Node is known to do.

const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");

// The published package holds JavaScript (Node strips no types below node_modules); a checkout runs its sources.
const built = join(__dirname, "..", "dist", "cli.js");
const entry = existsSync(built) ? built : join(__dirname, "..", "src", "cli.ts");

import(pathToFileURL(entry).href)
  .then((cli) => cli.runCli(process.argv))
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
