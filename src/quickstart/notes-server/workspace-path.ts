import { GatewayError } from "../../kernel/errors.ts";

/** The longest path, in characters, and the most folders that a path may go through. */
const longestPath = 400;
const deepestPath = 8;

const longestNameBytes = 200;

/**
 * A path below the workspace as its names; the empty path and `.` are the workspace itself. Only plain relative names
 * with `/` between them pass, the same on every system: nothing that climbs, starts at a root or a drive, hides, names
 * a device, or that some system would read as another name. Throws `request.invalid` that says what is wrong.
 */
export function parseWorkspacePath(path: string): readonly string[] {
  if (path === "" || path === ".") return [];
  if (path.length > longestPath) throw refused(`is longer than ${longestPath} characters`);
  const names = path.split("/");
  if (names.length > deepestPath) throw refused(`goes through more than ${deepestPath} folders`);
  for (const name of names) {
    const fault = faultOf(name);
    if (fault !== undefined) throw refused(fault);
  }
  return names;
}

// The console and its kin are devices on Windows in every folder and with every extension.
const deviceName = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i;

function faultOf(name: string): string | undefined {
  if (name === "") return "must be relative, with single slashes between names and none at the end";
  if (name === "..") return "must not contain `..`";
  if (name.startsWith(".")) return "must not contain names that begin with a dot";
  if (/\p{Cc}/u.test(name)) return "must not contain control characters";
  if (/[\\:*?"<>|]/.test(name)) return 'must not contain any of \\ : * ? " < > |';
  if (/[. ]$|^ /.test(name)) return "must not contain names that begin with a space or end with a dot or a space";
  if (deviceName.test(name)) return "must not name a device";
  if (!name.isWellFormed()) return "must be valid Unicode";
  if (Buffer.byteLength(name) > longestNameBytes) return `has a name longer than ${longestNameBytes} bytes`;
  return undefined;
}

function refused(what: string): GatewayError {
  return new GatewayError("request.invalid", `The path ${what}.`, { param: "path" });
}
