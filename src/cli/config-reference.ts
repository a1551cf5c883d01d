import type { Setting } from "../config-schema.ts";
import { configSchema, listSettings, settingValue } from "../config-schema.ts";

/** The configuration's reference page, in Markdown, made from the schema. */
export function printReference(): string {
  const rows = listSettings().map(
    (setting) =>
      `| \`${setting.name}\` | \`${setting.env}\` | ${limitsOf(setting)} | ${defaultOf(setting)} | ${describe(setting)} |`,
  );
  return `${intro.trim()}

| setting | variable | values | default | meaning |
|---|---|---|---|---|
${rows.join("\n")}
`;
}

const intro = `
# Configuration

Printed by \`gatehouse config reference\`; a test keeps this page equal to the schema.

A value is taken from the first of these that has it:

1. a flag: \`--data\`, \`--port\`, \`--control-port\`, \`--config\`;
2. an environment variable; an empty one counts as absent, and a list is written with commas;
3. the file \`gatehouse.yaml\` in the working directory, or the one that \`--config\` or \`GATEHOUSE_CONFIG\` names;
4. the default.

In the file the dots are nesting: \`limits.drainTimeoutMs\` is \`drainTimeoutMs\` below \`limits\`. Paths in the file are
relative to the file. An unknown setting and an unknown \`GATEHOUSE_\` variable are errors. Secret values are never
printed.

With \`env: production\` the process refuses to start without an encryption key and an admin token. Make each with
\`openssl rand -hex 32\`, and put it into the variable, or into the file in the data directory with mode 0600.
`;

function describe(setting: Setting): string {
  return `${setting.description}${setting.secret ? " Secret." : ""}`.replaceAll("|", "\\|");
}

// The parsed defaults rather than the schema's own: those behind a transformation do not show in a JSON Schema.
function defaultOf({ name }: Setting): string {
  const value = settingValue(configSchema.parse({}), name);
  if (value === undefined) return "";
  return Array.isArray(value) ? "none" : `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
}

function limitsOf({ schema, type }: Setting): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(", ");
  switch (type) {
    case "integer":
    case "number":
      return `${schema.minimum ?? ""} to ${schema.maximum ?? ""}`;
    case "boolean":
      return "`true`, `false`";
    case "array":
      return `a list, at most ${schema.maxItems ?? ""}`;
    case "mapping":
      return "a mapping";
    case "string":
      return schema.format === "uri" ? "a URL" : "text";
  }
}
