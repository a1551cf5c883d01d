import type { QuickstartClient } from "./quickstart-client.ts";
import type { QuickstartApi } from "./quickstart-file.ts";
import { shellQuoted } from "./shell-quoted.ts";

/** Lines to paste that get an access token by client credentials and call the API that it is for. */
export function tokenLines(client: QuickstartClient, apis: readonly QuickstartApi[]): readonly string[] {
  const api = apis.find(({ url }) => url.startsWith(`${client.resource}/`));
  if (api === undefined) return [];
  const body = { model: api.model, messages: [{ role: "user", content: "Hello, who is there?" }] };
  const token = `curl -sS ${shellQuoted(client.tokenUrl)} -u ${shellQuoted(`${client.clientId}:${client.clientSecret}`)} -d grant_type=client_credentials -d ${shellQuoted(`resource=${client.resource}`)}`;
  const extract = `sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'`;
  return [
    "",
    `# ${api.name}: the same with an access token (OAuth client credentials) in place of the key`,
    `token=$(${token} | ${extract})`,
    `curl -sS ${shellQuoted(`${api.url}/chat/completions`)} -H "authorization: Bearer $token" -H 'content-type: application/json' -d ${shellQuoted(JSON.stringify(body))}`,
  ];
}
