import { domainToASCII } from "node:url";
import { globMatcher } from "../../kernel/glob.ts";

/** What a URL is judged by. */
export interface UrlParts {
  /** Without the colon. */
  readonly scheme: string;
  /** In lower case and ASCII, without brackets and without a dot at the end; empty where there is none. */
  readonly host: string;
  readonly port: string;
  /** With the query. */
  readonly path: string;
}

const form = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(\[[0-9a-f:.*?]+\]|[^\s/:@[\]]+)(?::(\d{1,5}))?(\/\S*)?$/i;

/** Whether a text is such a pattern: `example.com`, `*.example.com`, `https://example.com:8443/docs/*`. */
export function isUrlPattern(text: string): boolean {
  return form.test(text);
}

/**
 * A test of URLs by patterns, of which one has to fit. `*` and `?` stand for characters of the host or of the path,
 * each by itself: none in the host ever stands for a slash. What a pattern does not say may be anything.
 */
export function urlMatcher(patterns: readonly string[]): (parts: UrlParts) => boolean {
  const parsed = patterns.map((pattern) => form.exec(pattern)).filter((match) => match !== null);
  const isHostOnly = (match: RegExpExecArray): boolean =>
    [match[1], match[3], match[4]].every((part) => part === undefined);
  const hosts = hostMatcher(parsed.filter(isHostOnly).map((match) => asciiHost(match[2] ?? "")));
  const others = parsed.filter((match) => !isHostOnly(match)).map(compileOther);
  return (parts) => (parts.host !== "" && hosts(parts.host)) || others.some((fits) => fits(parts));
}

/** As `globMatcher` has it. `*.example.com`, which most lists are made of, is looked up by each end of the host. */
function hostMatcher(patterns: readonly string[]): (host: string) => boolean {
  const isEnd = (pattern: string): boolean => /^\*\.[^*?]*$/.test(pattern);
  const ends = new Set(patterns.filter(isEnd).map((pattern) => pattern.slice(1)));
  const fits = globMatcher(patterns.filter((pattern) => !isEnd(pattern)));
  return (host) => {
    if (ends.size > 0) {
      for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
        if (ends.has(host.slice(dot))) return true;
      }
    }
    return fits(host);
  };
}

function compileOther([, scheme, host = "", port, path]: RegExpExecArray): (parts: UrlParts) => boolean {
  const fitsHost = globMatcher([asciiHost(host)]);
  const fitsPath = path === undefined ? () => true : globMatcher([path]);
  return (parts) =>
    (scheme === undefined || scheme.toLowerCase() === parts.scheme) &&
    (port === undefined || port === (parts.port || usualPorts[parts.scheme])) &&
    fitsHost(parts.host) &&
    fitsPath(parts.path);
}

const usualPorts: Readonly<Record<string, string>> = { http: "80", https: "443", ws: "80", wss: "443", ftp: "21" };

function asciiHost(host: string): string {
  const plain = host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
  return plain
    .split(".")
    .map((label) => (!/[^ -~]/.test(label) ? label : domainToASCII(label)))
    .join(".");
}
