import { createHash } from "node:crypto";
import type { ControlOptions } from "./control-options.ts";

/** A small static page: no script, nothing loaded from anywhere, nothing of the catalog. */
export function homePage({ version, gatewayUrl }: Pick<ControlOptions, "version" | "gatewayUrl">): Response {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gatehouse control plane</title>
<style>${style}</style>
</head>
<body>
<h1>Gatehouse</h1>
<p>This is the control plane, version ${escapeHtml(version)}: here APIs, keys and policies are administered.
Apps and agents call the gateway at <code>${escapeHtml(gatewayUrl)}</code>.</p>
<ul>
<li><a href="/api/v1/openapi.json">The REST API</a>, as an OpenAPI 3.1 document. It asks for the admin token:
<code>Authorization: Bearer …</code></li>
<li><a href="/api/v1/problems">Error codes</a></li>
<li><a href="/livez">/livez</a> and <a href="/readyz">/readyz</a> for probes</li>
</ul>
</body>
</html>
`;
  return new Response(html, {
    status: 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": [
        "default-src 'none'",
        `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ].join("; "),
    },
  });
}

const style = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:4rem auto;padding:0 1rem}";

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
