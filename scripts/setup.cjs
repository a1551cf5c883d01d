"use strict";
// Runs before `npm start` and `npm test`, on whatever Node the system has and with no package installed: installs what
// package-lock.json names when it is not there yet. Silent when there is nothing to do. Keep it readable to old Nodes.

var childProcess = require("child_process");
var crypto = require("crypto");
var fs = require("fs");
var path = require("path");

var root = path.join(__dirname, "..");
var modules = path.join(root, "node_modules");
var stampFile = path.join(modules, ".gatehouse-setup");
var nodeFloor = [24, 12];

main();

function main() {
  var lockText = readText(path.join(root, "package-lock.json"));
  if (lockText === undefined) return fail("package-lock.json is missing; is this a whole checkout?");
  var stamp = [process.platform, process.arch, sha256(lockText)].join(" ");
  if (readText(stampFile) === stamp && hasNode()) return undefined;
  if (matchesLock(lockText) && hasNode()) return writeStamp(stamp);
  return install(lockText, stamp);
}

function install(lockText, stamp) {
  var startedAt = Date.now();
  var count = Object.keys(JSON.parse(lockText).packages).length - 1;
  say("[1/3] npm brings up to " + count + " packages from its registry or cache (only this first time)");
  runNpm(["ci"], function (code, output) {
    if (code === 0 || !/EUSAGE/.test(output)) return finish(code, output);
    if (lacksOnlyOptional(output, lockText)) {
      say("      the lock file lacks packages for other platforms; npm install goes around them");
      return runNpm(["install"], function (secondCode, secondOutput) {
        keepLock(lockText);
        finish(secondCode, secondOutput);
      });
    }
    // Somebody who has just edited package.json wants the lock file to follow; a build machine does not.
    if (process.env.CI) return finish(code, output);
    say("      package.json and package-lock.json differ; npm install brings them together");
    return runNpm(["install"], finish);
  });

  function finish(code, output) {
    if (code !== 0) return fail(explain(output), output);
    say("[2/3] checking what was installed");
    if (!hasNode()) return fail(explainMissingNode());
    writeStamp([process.platform, process.arch, sha256(readText(path.join(root, "package-lock.json")))].join(" "));
    var seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    say("[3/3] installed " + Math.round(bytesBelow(modules, {}) / 1e6) + " MB in " + seconds + " s");
    return stamp;
  }
}

/**
 * Whether npm refuses the lock file only for optional packages that it does not name. A registry that has some platforms'
 * packages only makes such lock files; what they do name is still installed at its version and checksum.
 */
function lacksOnlyOptional(output, lockText) {
  var packages = JSON.parse(lockText).packages;
  var optional = {};
  Object.keys(packages).forEach(function (place) {
    Object.assign(optional, packages[place].optionalDependencies);
  });
  var complaints = output.match(/npm (error|ERR!) (Missing|Invalid): .*/g) || [];
  return (
    complaints.length > 0 &&
    complaints.every(function (complaint) {
      var missing = /Missing: (@?[^@\s]+)@\S* from lock file/.exec(complaint);
      return missing !== null && optional[missing[1]] !== undefined;
    })
  );
}

/** Leaves the checkout as it was: starting the gateway is no reason for a change of the lock file. */
function keepLock(lockText) {
  var file = path.join(root, "package-lock.json");
  if (readText(file) !== lockText) fs.writeFileSync(file, lockText);
}

/** Calls back with npm's exit code and the end of what it printed. */
function runNpm(command, done) {
  var args = command.concat(["--include=dev", "--no-audit", "--no-fund", "--loglevel=error", "--progress=false"]);
  var env = Object.assign({}, process.env);
  delete env.NODE_ENV;
  var cli = process.env.npm_execpath || "";
  var isNpm = /npm-cli\.js$/.test(cli); // another package manager's own path may stand there
  var child = isNpm
    ? childProcess.spawn(process.execPath, [cli].concat(args), {
        cwd: root,
        env: env,
        stdio: ["ignore", "pipe", "pipe"],
      })
    : childProcess.spawn("npm", args, {
        cwd: root,
        env: env,
        stdio: ["ignore", "pipe", "pipe"],
        shell: process.platform === "win32",
      });
  var output = "";
  var startedAt = Date.now();
  var heartbeat = setInterval(function () {
    say("      still at it after " + Math.round((Date.now() - startedAt) / 1000) + " s");
  }, 10000);
  function keep(chunk) {
    output = (output + chunk).slice(-20000);
  }
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  var isDone = false;
  function end(code, text) {
    if (isDone) return;
    isDone = true;
    clearInterval(heartbeat);
    done(code, text);
  }
  child.on("error", function (error) {
    end(1, error.code === "ENOENT" ? "npm was not found on the PATH (ENOENT npm)" : String(error));
  });
  child.on("close", function (code) {
    end(code === null ? 1 : code, output);
  });
}

function explain(output) {
  if (/ENOENT npm/.test(output)) return "npm was not found. Install npm 10 or later and run this again.";
  if (/ENOSPC|no space left/i.test(output))
    return "The disk is full. About 1 GB is needed, in the checkout and in npm's cache.";
  if (/EACCES|EPERM|EROFS/.test(output))
    return "No permission to write. The checkout and npm's cache must belong to you.";
  if (/EINTEGRITY/.test(output)) {
    return "A package is not the one that package-lock.json names. Try `npm cache clean --force`; if it stays so, do not go on.";
  }
  if (
    /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|ERR_SOCKET_TIMEOUT|CERT_|self.signed/i.test(
      output
    )
  ) {
    return "The package registry cannot be reached. Check the network, the proxy and `npm config get registry`.";
  }
  if (/E40[134]|ETARGET/.test(output)) {
    return "The package registry refused or does not have a package. Check `npm config get registry` and its login.";
  }
  if (/EUSAGE/.test(output))
    return "package.json and package-lock.json differ. Run `npm install` and commit the lock file.";
  return "npm could not install the packages.";
}

function explainMissingNode() {
  return [
    "The packages are here, but Node " +
      nodeFloor.join(".") +
      " is not: npm did not run the install step of the package `node`,",
    "most likely because it is set to run none. Either run `npm rebuild node --ignore-scripts=false`,",
    "or install Node " + nodeFloor.join(".") + " or later yourself (this is " + process.versions.node + ").",
  ].join("\n");
}

/** Whether npm scripts will find a Node that is new enough. */
function hasNode() {
  var name = process.platform === "win32" ? "node.exe" : "node";
  if (fs.existsSync(path.join(modules, "node", "bin", name))) return true;
  var version = process.versions.node.split(".").map(Number);
  return version[0] > nodeFloor[0] || (version[0] === nodeFloor[0] && version[1] >= nodeFloor[1]);
}

/** Whether npm's own record of node_modules has every package of the lock file at its version. */
function matchesLock(lockText) {
  var recordText = readText(path.join(modules, ".package-lock.json"));
  if (recordText === undefined) return false;
  var wanted = JSON.parse(lockText).packages;
  var present = JSON.parse(recordText).packages;
  return Object.keys(wanted).every(function (place) {
    if (place === "") return true;
    var found = present[place];
    // Optional ones depend on the platform.
    return found === undefined ? wanted[place].optional === true : found.version === wanted[place].version;
  });
}

function writeStamp(stamp) {
  try {
    fs.writeFileSync(stampFile, stamp);
  } catch (error) {
    // Without the stamp the next start compares again, that is all; a checkout may be read-only.
    return error;
  }
  return undefined;
}

/** Bytes of all files below a folder; a file with several names counts once. */
function bytesBelow(folder, seen) {
  return fs.readdirSync(folder).reduce(function (sum, name) {
    var place = path.join(folder, name);
    var stat = fs.lstatSync(place);
    if (stat.isDirectory()) return sum + bytesBelow(place, seen);
    if (stat.nlink > 1) {
      var id = stat.dev + ":" + stat.ino;
      if (seen[id]) return sum;
      seen[id] = true;
    }
    return sum + stat.size;
  }, 0);
}

function readText(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  }
}

function sha256(text) {
  return crypto.createHash("sha256").update(text).digest("hex");
}

function say(line) {
  console.log("setup: " + line);
}

function fail(message, output) {
  if (output) console.error(output.trim());
  console.error("\nsetup: " + message);
  process.exitCode = 1;
}
