/** Where calls may come from, by the `Referer` header. */
export interface ReferrerSet {
  /** False without a header, or with one that is no http(s) URL. */
  permits(referer: string | undefined): boolean;
}

/**
 * A set of rules: `www.abc.com/path` is that host and exactly that path, `sub.cds.com/*` any path of that host,
 * `*.gef.com/*` any path of any host below `gef.com` (not of `gef.com` itself). A star elsewhere ends a path:
 * `www.abc.com/docs/*`. Hosts match whatever their case, a port must be said, query and fragment do not matter, and the
 * scheme does when a rule begins with one. A rule that cannot be read permits nothing.
 * @see https://apim.docs.wso2.com/en/latest/api-security/key-management/tokens/api-keys/
 */
export function createReferrerSet(rules: readonly string[]): ReferrerSet {
  const compiled = rules.flatMap((rule) => compileRule(rule) ?? []);
  return {
    permits(referer) {
      if (referer === undefined || !URL.canParse(referer)) return false;
      const url = new URL(referer);
      return /^https?:$/.test(url.protocol) && compiled.some((permits) => permits(url));
    },
  };
}

type Rule = (url: URL) => boolean;

function compileRule(rule: string): Rule | undefined {
  const match =
    /^(?:(?<scheme>https?):\/\/)?(?<below>\*\.)?(?<host>[^/*?#@\s]+)(?<path>\/[^*?#\s]*)?(?<any>\*)?$/i.exec(rule);
  const { scheme, below, host, path = "/", any } = match?.groups ?? {};
  if (host === undefined || (any !== undefined && match?.groups?.["path"] === undefined)) return undefined;
  const text = `${scheme?.toLowerCase() ?? "http"}://${host}${path}`;
  if (!URL.canParse(text)) return undefined;
  const wanted = new URL(text);
  return (url) =>
    (scheme === undefined || url.protocol === wanted.protocol) &&
    (below === undefined ? url.host === wanted.host : url.host.endsWith(`.${wanted.host}`)) &&
    (any === undefined ? url.pathname === wanted.pathname : url.pathname.startsWith(wanted.pathname));
}
