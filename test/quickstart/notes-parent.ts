// A process that owns a notes server and is killed by its test. Arguments: the workspace, the token.
import { systemClock } from "../../src/kernel/clock.ts";
import { startNotesProcess } from "../../src/quickstart/notes-process.ts";

const [, , workspaceFolder = "", token = ""] = process.argv;
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const notes = await startNotesProcess({ workspaceFolder, token, clock: systemClock, log: silent });
process.stdout.write(`${JSON.stringify({ pid: notes.pid, port: notes.port })}\n`);
setInterval(() => {}, 60_000);
