#!/usr/bin/env node
"use strict";
// Every Node down to 0.12 must be able to parse this file, so that an old one gets a sentence and not a syntax error.

var floor = [24, 12];

// Set before any of our code is loaded; V8 takes them at this point without a second process.
var v8Flags = [];

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
  for (var index = 0; index < v8Flags.length; index += 1) require("node:v8").setFlagsFromString(v8Flags[index]);
  // Holds the stripped TypeScript too. Beside the packages rather than in a shared temporary folder, where another
  // user could put code in our way; where this folder cannot be written, Node goes on without a cache.
  require("node:module").enableCompileCache(path.join(__dirname, "..", "node_modules", ".cache", "gatehouse"));
  require("./launch.cjs");
}
