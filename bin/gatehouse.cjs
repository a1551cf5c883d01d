#!/usr/bin/env node
"use strict";
// Every Node down to 0.12 must be able to parse this file, so that an old one gets a sentence and not a syntax error.

var floor = [24, 12];

// Of a process that serves. Without them V8 takes what a large machine has: 64 MB twice for what is short-lived, and
// old objects are left until there are four times as many; glibc keeps what each thread has freed to itself. What lives
// for one request is taken for long-lived where many requests run side by side, and is then collected with the old: not
// to make it old from the beginning saves a sixth of the processor's time, and a young space that holds what a hundred
// requests in flight need, with their answers where guardrails read those, saves up to half of it. Hot functions go straight to the best compiler, and after fewer calls:
// the one between leaves some 30 MB of code and holes, and with both a gateway is at full speed after 4,000 requests
// instead of 12,000. What load has taken is given back at rest (src/cli/collect-at-rest.ts), which needs the last flag.
var youngFlag = "--max-semi-space-size";
var serveFlags = [
  youngFlag + "=16",
  "--heap-growing-percent=70",
  "--no-allocation-site-pretenuring",
  "--no-maglev",
  "--invocation-count-for-turbofan=600",
  "--minimum-invocations-after-ic-update=100",
  "--expose-gc",
];
var serveEnvironment = {
  MALLOC_ARENA_MAX: "1",
  // What the compiler of hot functions takes and gives back comes in pieces of this size. Said here it stays so: left to
  // itself glibc raises both to the largest piece that was ever freed.
  MALLOC_TRIM_THRESHOLD_: "131072",
  MALLOC_MMAP_THRESHOLD_: "131072",
};

var version = process.versions.node.split(".").map(Number);
var isOld = version[0] < floor[0] || (version[0] === floor[0] && version[1] < floor[1]);

if (isOld) {
  console.error(
    [
      "gatehouse needs Node " + floor.join(".") + " or later; this is Node " + process.versions.node + ".",
      "In a checkout of the project, `npm start` brings the right Node along, whatever the system has.",
      "Otherwise install Node 24: from your system's packages, with `nvm install 24`, `fnm install 24` or",
      "`volta install node@24`, or from https://nodejs.org/.",
    ].join("\n")
  );
  process.exit(1);
} else {
  var path = require("node:path");
  if (process.argv[2] === "start") becomeFrugal();
  // Holds the stripped TypeScript too. Beside the packages rather than in a shared temporary folder, where another
  // user could put code in our way; where this folder cannot be written, Node goes on without a cache.
  var cacheFolder = path.join(__dirname, "..", "node_modules", ".cache", "gatehouse");
  require("node:module").enableCompileCache(cacheFolder);
  if (process.argv[2] === "start") require("./warm-cache.cjs").warmCache(cacheFolder);
  require("./launch.cjs");
}

// Both are only taken when a process begins. It stays the same process, to whoever started it and to its signals; where
// the system cannot do that, and where somebody has set the size already, it goes on as it is.
function becomeFrugal() {
  var chosen = process.execArgv.join(" ") + " " + (process.env.NODE_OPTIONS || "");
  if (typeof process.execve !== "function" || process.platform === "win32" || chosen.indexOf(youngFlag) >= 0) return;
  var environment = Object.assign({}, serveEnvironment, process.env);
  var args = [process.execPath].concat(serveFlags, process.execArgv, process.argv.slice(1));
  try {
    process.execve(process.execPath, args, environment);
  } catch (error) {
    // Some sandboxes forbid it, and it is no need.
    return error;
  }
}
