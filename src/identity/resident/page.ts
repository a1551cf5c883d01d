import { createHash } from "node:crypto";
import type { Html } from "./html.ts";
import { html } from "./html.ts";

/** A page and the headers that it must be sent with. */
export interface Page {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface PageOptions {
  /** Where forms may lead beside this server, as the policy for content names it: browsers apply it to redirects too. */
  readonly formTargets?: readonly string[];
}

/**
 * A whole page: no script, no picture, nothing from elsewhere, in no frame, kept by no cache. It names its own origin
 * to itself, so that the forms pass the check of origins.
 */
export function page(title: string, content: Html, { formTargets = [] }: PageOptions = {}): Page {
  const { html: body } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${{ html: style }}</style>
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `style-src 'sha256-${styleHash}'`,
    `form-action ${["'self'", ...formTargets].join(" ")}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  return {
    body,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy.join("; "),
      "x-frame-options": "DENY",
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
      "cross-origin-opener-policy": "same-origin",
      "cache-control": "no-store",
    },
  };
}

const style = `
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #1c2430; background: #f3f5f8; }
main { max-width: 26rem; margin: 10vh auto; padding: 2rem; background: #fff; border-radius: .5rem; box-shadow: 0 1px 6px #0002; }
h1 { margin: 0 0 1rem; font-size: 1.3rem; }
label { display: block; margin: 1rem 0 0; }
input { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; border: 1px solid #8893a5; border-radius: .25rem; }
button { margin: 1.5rem .5rem 0 0; padding: .5rem 1.25rem; font: inherit; border: 1px solid #1f5fbf; border-radius: .25rem; color: #fff; background: #1f5fbf; cursor: pointer; }
button.quiet { color: #1f5fbf; background: #fff; }
dt { margin-top: .75rem; color: #55606f; font-size: .875rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.alert { padding: .5rem .75rem; border-left: .25rem solid #b3261e; background: #fdecea; }
.note { padding: .5rem .75rem; border-left: .25rem solid #a86200; background: #fff4e0; }
`;

const styleHash = createHash("sha256").update(style).digest("base64");
