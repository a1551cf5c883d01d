import { syncBuiltinESMExports } from "node:module";

/**
 * Takes from this process what a rule has no use for: every way to the network and to other processes. Node's permission
 * model has none for the network, so the functions themselves are replaced, for good. Call it before any ruleset is there;
 * what is loaded later gets the same functions.
 */
export function lockDown(): void {
  // All are loaded before one is changed: they build upon each other.
  const modules = Object.entries(shut).map(([name, members]) => ({ module: process.getBuiltinModule(name), members }));
  for (const { module, members } of modules) {
    for (const path of members) replace(module as unknown as Record<string, unknown>, path.split(".")); // by name, whatever it is
  }
  for (const name of ["fetch", "WebSocket", "EventSource", "XMLHttpRequest", "Worker"]) {
    Object.defineProperty(globalThis, name, { value: undefined, writable: false, configurable: false });
  }
  for (const name of ["binding", "_linkedBinding", "dlopen", "kill", "_debugProcess", "abort", "execve"]) {
    replace(process as unknown as Record<string, unknown>, [name]);
  }
  syncBuiltinESMExports();
  replace(process as unknown as Record<string, unknown>, ["getBuiltinModule"]); // after its last use here
}

/** What opens a way out, by module. */
const shut: Readonly<Record<string, readonly string[]>> = {
  "node:net": ["connect", "createConnection", "createServer", "Socket.prototype.connect", "Server.prototype.listen"],
  "node:tls": ["connect", "createServer"],
  "node:http": ["request", "get", "createServer", "Agent.prototype.createConnection"],
  "node:https": ["request", "get", "createServer", "Agent.prototype.createConnection"],
  "node:http2": ["connect", "createServer", "createSecureServer"],
  "node:dgram": ["createSocket", "Socket.prototype.bind", "Socket.prototype.connect", "Socket.prototype.send"],
  "node:dns": ["lookup", "lookupService", "resolve", "resolve4", "resolve6", "resolveAny", "resolveTxt", "reverse"],
  "node:dns/promises": [
    "lookup",
    "lookupService",
    "resolve",
    "resolve4",
    "resolve6",
    "resolveAny",
    "resolveTxt",
    "reverse",
  ],
  "node:inspector": ["open", "Session.prototype.connect"],
  "node:child_process": ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"],
  "node:worker_threads": ["Worker"],
  "node:cluster": ["fork"],
};

function replace(owner: Record<string, unknown>, path: readonly string[]): void {
  const [name = "", ...rest] = path;
  const member = owner[name];
  if (member === undefined) return;
  if (rest.length > 0) return replace(member as Record<string, unknown>, rest); // a class and its prototype
  const value = (): never => {
    throw new Error(`${name} is not available to rules`);
  };
  Object.defineProperty(owner, name, { value, writable: false, configurable: false });
}
