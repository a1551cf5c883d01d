import type { McpOffer, McpOfferEntry } from "../../core/mcp-offer.ts";
import type { FieldIssue } from "../../kernel/errors.ts";
import { globMatcher } from "../../kernel/glob.ts";
import type { McpObject } from "../backend.ts";
import { matchesTemplate } from "../federation/match-template.ts";
import type { ListKind } from "../federation/merge-entries.ts";
import { listShapes } from "../federation/merge-entries.ts";
import { foldName, isReservedName } from "../federation/public-names.ts";
import { showEntry } from "./show-entry.ts";

/** `spec.offer`, ready for requests. */
export interface CompiledOffer {
  /** An entry of a list as clients see it; undefined for one that they do not see. */
  show(kind: ListKind, entry: McpObject): McpObject | undefined;
  /** What clients mean by the name of a tool or prompt; undefined for what they are not offered. */
  find(kind: "tools" | "prompts", shown: string): Meant | undefined;
  /** Whether clients may use the resource, which may be of a template. */
  takes(uri: string): boolean;
}

/** A tool or prompt by its own name, and what is said of it. */
export interface Meant {
  readonly name: string;
  readonly entry: McpOfferEntry | undefined;
}

/** Faults: names that are the gateway's own, and two that look alike. */
export function compileOffer(offer: McpOffer, fault: (issue: FieldIssue) => void): CompiledOffer {
  const lists = {
    tools: compileNames(offer.tools, offer.unlisted, (issue) =>
      fault({ ...issue, path: `spec.offer.tools${issue.path}` }),
    ),
    prompts: compileNames(offer.prompts, offer.unlisted, (issue) =>
      fault({ ...issue, path: `spec.offer.prompts${issue.path}` }),
    ),
  };
  const resources = rulesOf(offer.resources, offer.unlisted);
  return {
    show(kind, entry) {
      const name = entry[listShapes[kind].by];
      if (typeof name !== "string") return undefined;
      if (kind === "tools" || kind === "prompts") {
        const shown = lists[kind].shownAs(name);
        return shown && showEntry(kind, entry, shown.name, shown.entry);
      }
      const rule = resources(name);
      return rule && showEntry(kind, entry, rule.entry?.as, rule.entry);
    },
    find: (kind, shown) => lists[kind].meantBy(shown),
    takes: (uri) => resources(uri) !== undefined,
  };
}

interface Names {
  /** What a name is shown as. */
  shownAs(name: string): Meant | undefined;
  meantBy(shown: string): Meant | undefined;
}

function compileNames(
  entries: readonly McpOfferEntry[] | undefined,
  unlisted: McpOffer["unlisted"],
  fault: (issue: FieldIssue) => void,
): Names {
  const rule = rulesOf(entries, unlisted);
  const own = new Map<string, string>();
  const folded = new Map<string, string>();
  (entries ?? []).forEach(({ name, as }, index) => {
    if (as === undefined || name === undefined) return;
    const alike = folded.get(foldName(as));
    if (isReservedName(as)) fault({ path: `[${index}].as`, message: `"${as}" is a name of the gateway's own` });
    if (alike !== undefined) fault({ path: `[${index}].as`, message: `looks like "${alike}"` });
    own.set(as, name);
    folded.set(foldName(as), as);
  });
  const meant = (name: string): Meant | undefined => {
    const found = rule(name);
    return found && { name, entry: found.entry };
  };
  return {
    shownAs(name) {
      const found = meant(name);
      if (found === undefined) return undefined;
      const as = found.entry?.as;
      if (as !== undefined) return { ...found, name: as };
      return folded.has(foldName(name)) ? undefined : found; // the name was given to another one
    },
    meantBy(shown) {
      const renamed = own.get(shown);
      if (renamed !== undefined) return meant(renamed);
      const found = meant(shown);
      return found?.entry?.as !== undefined || folded.has(foldName(shown)) ? undefined : found;
    },
  };
}

interface Rule {
  readonly entry: McpOfferEntry | undefined;
}

/** The first entry that names it decides; undefined where it is hidden, or named by none and that means no. */
function rulesOf(
  entries: readonly McpOfferEntry[] | undefined,
  unlisted: McpOffer["unlisted"],
): (name: string) => Rule | undefined {
  const open: Rule = { entry: undefined };
  if (entries === undefined) return () => open;
  const exact = new Map<string, number>();
  const wild: { readonly at: number; readonly matches: (name: string) => boolean }[] = [];
  entries.forEach(({ name, match }, at) => {
    if (match !== undefined) wild.push({ at, matches: globMatcher([match]) });
    else if (name !== undefined && !exact.has(name)) exact.set(name, at);
    if (name?.includes("{") === true) wild.push({ at, matches: (uri) => matchesTemplate(name, uri) });
  });
  return (name) => {
    const at = exact.get(name) ?? entries.length;
    const before = wild.find((each) => each.matches(name));
    const entry = entries[before === undefined ? at : Math.min(at, before.at)];
    if (entry === undefined) return unlisted === "allow" ? open : undefined;
    return entry.hidden === true ? undefined : { entry };
  };
}
