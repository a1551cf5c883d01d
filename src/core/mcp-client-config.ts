import type { SecuritySpec } from "./api-spec.ts";

/** Programs whose configuration is known. */
export const mcpClients = ["claude-code", "vscode", "cursor", "codex"] as const;
export type McpClientName = (typeof mcpClients)[number];

/** What a client is to be told of a server. */
export interface McpClientInput {
  /** As the client is to call it: letters, digits and hyphens. */
  readonly name: string;
  readonly url: string;
  /**
   * `none` where no key is asked for, or the client gets a token by itself; `placeholder` where the person has the key,
   * and the file is to take it from the environment or ask for it.
   */
  readonly credential: "none" | "placeholder" | { readonly key: string };
}

/** What goes into which file of a client. */
export interface McpClientConfig {
  readonly client: McpClientName;
  readonly title: string;
  /** Where it belongs, in the project or below the home directory. */
  readonly file: string;
  readonly format: "json" | "toml";
  /** The file's whole content, where the client has no other servers. */
  readonly text: string;
  /** The variable that is to hold the key; null where the text names none. */
  readonly variable: string | null;
}

const places: Readonly<Record<McpClientName, Pick<McpClientConfig, "title" | "file" | "format">>> = {
  "claude-code": { title: "Claude Code", file: ".mcp.json", format: "json" },
  vscode: { title: "VS Code", file: ".vscode/mcp.json", format: "json" },
  cursor: { title: "Cursor", file: ".cursor/mcp.json", format: "json" },
  codex: { title: "Codex", file: "~/.codex/config.toml", format: "toml" },
};

/** The configuration of a client for a server. Its words for a key that is kept elsewhere are the client's own. */
export function mcpClientConfig(client: McpClientName, input: McpClientInput): McpClientConfig {
  const variable = input.credential === "placeholder" && client !== "vscode" ? variableFor(input.name) : null;
  return { client, ...places[client], text: texts[client](input, variableFor(input.name)), variable };
}

/** Whether an API key must be shown to a server, may be beside tokens, or means nothing to it. */
export function keyNeedOf({ apiKey, oauth, keyless }: SecuritySpec): "required" | "optional" | "none" {
  if (keyless || apiKey === false) return "none";
  return oauth === false ? "required" : "optional";
}

const texts: Readonly<Record<McpClientName, (input: McpClientInput, variable: string) => string>> = {
  "claude-code": (input, variable) => servers("mcpServers", input, `\${${variable}}`),
  cursor: (input, variable) => servers("mcpServers", input, `\${env:${variable}}`),
  vscode(input) {
    const id = `${input.name}-key`;
    const description = `API key for ${input.name}`;
    const inputs = [{ type: "promptString", id, description, password: true }];
    return servers("servers", input, `\${input:${id}}`, input.credential === "placeholder" ? { inputs } : {});
  },
  codex({ name, url, credential }, variable) {
    const lines = [`[mcp_servers.${name}]`, `url = ${JSON.stringify(url)}`];
    if (credential === "placeholder") lines.push(`bearer_token_env_var = ${JSON.stringify(variable)}`);
    else if (credential !== "none") {
      lines.push(`http_headers = { Authorization = ${JSON.stringify(`Bearer ${credential.key}`)} }`);
    }
    return lines.join("\n");
  },
};

function servers(
  member: string,
  { name, url, credential }: McpClientInput,
  placeholder: string,
  more: object = {},
): string {
  const key = typeof credential === "object" ? credential.key : placeholder;
  const headers = credential === "none" ? {} : { headers: { Authorization: `Bearer ${key}` } };
  return JSON.stringify({ [member]: { [name]: { type: "http", url, ...headers } }, ...more }, undefined, 2);
}

function variableFor(name: string): string {
  return `${name.toUpperCase().replaceAll("-", "_")}_API_KEY`.replace(/^(?=\d)/, "_");
}
