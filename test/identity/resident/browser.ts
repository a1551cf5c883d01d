/** A browser without scripts: it keeps cookies, follows redirects by hand and fills in forms. */
export interface Browser {
  /** Follows redirects within the server; ends at a page, or at a redirect to elsewhere. */
  open(url: string): Promise<Seen>;
  submit(seen: Seen, answer: "log-in" | "allow" | "deny", fields?: Record<string, string>): Promise<Seen>;
  readonly cookies: Map<string, { value: string; path: string; attributes: string }>;
}

export interface Seen {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  /** Where the server sent the browser, outside of itself. */
  readonly redirect: URL | undefined;
}

export function createBrowser(origin: string): Browser {
  const cookies: Browser["cookies"] = new Map();
  const go = async (url: string, init: RequestInit): Promise<Seen> => {
    const { pathname } = new URL(url);
    const sent = [...cookies].filter(
      ([, { path }]) => pathname === path || pathname.startsWith(path.replace(/\/?$/, "/")),
    );
    const cookie = sent.map(([name, { value }]) => `${name}=${value}`).join("; ");
    const answer = await fetch(url, {
      ...init,
      redirect: "manual",
      headers: { ...(init.headers as Record<string, string> | undefined), cookie, accept: "text/html" },
    });
    for (const line of answer.headers.getSetCookie()) keep(line, pathname);
    const location = answer.headers.get("location");
    const next = location === null ? undefined : new URL(location, url);
    const html = await answer.text();
    if (next !== undefined && next.origin === origin) return go(next.href, { method: "GET" });
    return { url, status: answer.status, headers: answer.headers, html, redirect: next };
  };
  const keep = (line: string, at: string): void => {
    const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
    const equals = pair.indexOf("=");
    const path = attributes.find((each) => each.toLowerCase().startsWith("path="))?.slice(5) ?? at;
    const value = pair.slice(equals + 1);
    if (value === "") cookies.delete(pair.slice(0, equals));
    else cookies.set(pair.slice(0, equals), { value, path, attributes: attributes.join("; ") });
  };
  return {
    cookies,
    open: (url) => go(url, { method: "GET" }),
    async submit(seen, answer, fields = {}) {
      const form = formsOf(seen.html).find((each) => each.fields["answer"] === answer);
      if (form === undefined) throw new Error(`no form ${answer} in: ${seen.html}`);
      const body = new URLSearchParams({ ...form.fields, ...fields });
      return go(new URL(form.action, seen.url).href, { method: "POST", body, headers: { origin } });
    },
  };
}

function formsOf(html: string): { action: string; fields: Record<string, string> }[] {
  return [...html.matchAll(/<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/gs)].map(([, action = "", content = ""]) => ({
    action: unescapeHtml(action),
    fields: Object.fromEntries(
      [...content.matchAll(/<input[^>]*name="([^"]*)"[^>]*?(?:value="([^"]*)")?[^>]*>/g)].map(([input, name = ""]) => [
        name,
        unescapeHtml(/value="([^"]*)"/.exec(input)?.[1] ?? ""),
      ]),
    ),
  }));
}

function unescapeHtml(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}
