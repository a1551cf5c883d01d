// The process behind the quickstart's MCP server. It gets one line of JSON on its standard input, answers with one line
// of JSON on its standard output, and ends when its standard input does: when its parent does, however that ends.
import { createInterface } from "node:readline";
import { systemClock } from "../../kernel/clock.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import { startNotesEndpoint } from "./notes-endpoint.ts";
import { notesSettingsSchema } from "./notes-settings.ts";

const lines = createInterface({ input: process.stdin });

// Ctrl-C reaches every process of the terminal, and the gateway's last requests still need this one.
for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});

lines.once("line", (line) => {
  const settings = notesSettingsSchema.parse(parseJson(line));
  const report = (error: unknown): void => void process.stderr.write(`${String(error)}\n`);
  startNotesEndpoint({ ...settings, clock: systemClock, report }).then(
    ({ port }) => void process.stdout.write(`${JSON.stringify({ port })}\n`),
    (error: unknown) => {
      report(error);
      process.exit(1);
    },
  );
});
lines.once("close", () => process.exit(0));
