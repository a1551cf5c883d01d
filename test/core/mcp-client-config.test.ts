import { expect, test } from "vitest";
import { securitySchema } from "../../src/core/api-spec.ts";
import { keyNeedOf, mcpClientConfig } from "../../src/core/mcp-client-config.ts";

const server = { name: "my-notes", url: "https://gw.example/notes/mcp" };
const placeholder = { ...server, credential: "placeholder" } as const;

test.each([
  { name: "Claude Code", client: "claude-code", member: "mcpServers", value: "Bearer ${MY_NOTES_API_KEY}" },
  { name: "Cursor", client: "cursor", member: "mcpServers", value: "Bearer ${env:MY_NOTES_API_KEY}" },
  { name: "VS Code", client: "vscode", member: "servers", value: "Bearer ${input:my-notes-key}" },
] as const)("$name takes the key from where it keeps such things", ({ client, member, value }) => {
  const { text, format } = mcpClientConfig(client, placeholder);
  expect(format).toBe("json");
  const entry = { type: "http", url: server.url, headers: { Authorization: value } };
  expect(JSON.parse(text)).toMatchObject({ [member]: { "my-notes": entry } });
});

test("VS Code asks for the key and hides it", () => {
  const { text, variable } = mcpClientConfig("vscode", placeholder);
  expect(JSON.parse(text)).toMatchObject({ inputs: [{ type: "promptString", id: "my-notes-key", password: true }] });
  expect(variable).toBeNull();
});

test("Codex has a table, and the name of the variable", () => {
  expect(mcpClientConfig("codex", placeholder)).toMatchObject({
    format: "toml",
    variable: "MY_NOTES_API_KEY",
    text: '[mcp_servers.my-notes]\nurl = "https://gw.example/notes/mcp"\nbearer_token_env_var = "MY_NOTES_API_KEY"',
  });
});

test("a key that is known stands in the text, and none where none is asked for", () => {
  for (const client of ["claude-code", "cursor", "vscode", "codex"] as const) {
    const known = mcpClientConfig(client, { ...server, credential: { key: "gh_key" } });
    expect(known.text).toContain("Bearer gh_key");
    expect(known.variable).toBeNull();
    expect(mcpClientConfig(client, { ...server, credential: "none" }).text).not.toMatch(/Bearer|KEY/i);
  }
});

test("whether a key is asked for follows from the server's security", () => {
  expect(keyNeedOf(securitySchema.parse({}))).toBe("required");
  expect(keyNeedOf(securitySchema.parse({ oauth: {} }))).toBe("optional");
  expect(keyNeedOf(securitySchema.parse({ apiKey: false, oauth: {} }))).toBe("none");
  expect(keyNeedOf(securitySchema.parse({ apiKey: false, keyless: true }))).toBe("none");
});
