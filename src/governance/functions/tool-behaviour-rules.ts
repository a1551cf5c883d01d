import { globMatcher } from "../../kernel/glob.ts";
import type { PlainObject, RuleFunction, RuleResult } from "./rule-function.ts";
import { isObject, objectsOf } from "./rule-function.ts";

/** Functions that hold what a tool says of its behaviour against its name. */
export const toolBehaviourRules: Readonly<Record<string, RuleFunction>> = {
  /** A tool whose name changes something does not call itself read-only, nor one whose name destroys something harmless. */
  annotationsAgree(tool, _, { path }) {
    const { name, annotations } = isObject(tool) ? tool : {};
    if (typeof name !== "string" || !isObject(annotations)) return [];
    const { readOnlyHint, destructiveHint } = annotations;
    const found: RuleResult[] = [];
    const at = (member: string) => [...path, "annotations", member];
    if (readOnlyHint === true && (destroys(name) || changes(name)))
      found.push({ message: `${name} calls itself read-only`, path: at("readOnlyHint") });
    if (destructiveHint === false && readOnlyHint !== true && destroys(name))
      found.push({ message: `${name} calls itself harmless`, path: at("destructiveHint") });
    if (destructiveHint === true && readOnlyHint === true)
      found.push({ message: `${name} calls itself read-only and destructive`, path: at("destructiveHint") });
    return found;
  },

  /** A tool whose name destroys something says so. */
  destructiveTold(tool, _, { path }) {
    const { name, annotations } = isObject(tool) ? tool : {};
    if (typeof name !== "string" || !destroys(name)) return [];
    const isTold = isObject(annotations) && annotations["destructiveHint"] !== undefined;
    return isTold ? [] : [{ message: `${name} does not say that it destroys`, path }];
  },

  /** Of a whole server: who may use a tool that destroys is said, by a rule for it, by scopes of all, or by a refusing default. */
  destructiveGuarded(server) {
    if (!isObject(server) || !isObject(server["spec"])) return [];
    const { authorization, security } = server["spec"];
    const oauth = isObject(security) ? security["oauth"] : undefined;
    if (isObject(oauth) && Array.isArray(oauth["scopes"]) && oauth["scopes"].length > 0) return [];
    if (isObject(authorization) && authorization["default"] === "deny") return [];
    const rules = objectsOf(isObject(authorization) ? authorization["rules"] : undefined);
    return objectsOf(server["tools"]).flatMap(({ index, item }): RuleResult[] => {
      const { name } = item;
      if (typeof name !== "string" || !mayDestroy(item, name)) return [];
      const isGuarded = rules.some(({ item: rule }) => isFor(rule, name));
      return isGuarded
        ? []
        : [{ message: `whoever may call the server may call ${name}`, path: ["tools", index, "name"] }];
    });
  },
};

const destroyingWords = new Set([
  "delete",
  "remove",
  "destroy",
  "drop",
  "purge",
  "erase",
  "wipe",
  "truncate",
  "revoke",
  "kill",
  "terminate",
  "uninstall",
]);
const changingWords = new Set([
  "create",
  "update",
  "write",
  "insert",
  "set",
  "put",
  "patch",
  "edit",
  "move",
  "rename",
  "send",
  "upload",
  "add",
  "append",
  "replace",
  "execute",
  "publish",
  "merge",
  "push",
]);

/** Only the first word says what a tool does: `get_update_status` updates nothing. */
function firstWord(name: string): string {
  return (
    /^[a-z]+/.exec(
      name
        .replace(/^.*(?:__|\.)/, "")
        .replace(/([a-z])([A-Z])/g, "$1_$2")
        .toLowerCase(),
    )?.[0] ?? ""
  );
}

function destroys(name: string): boolean {
  return destroyingWords.has(firstWord(name));
}

function changes(name: string): boolean {
  return changingWords.has(firstWord(name));
}

function mayDestroy({ annotations }: PlainObject, name: string): boolean {
  if (!isObject(annotations)) return destroys(name);
  return annotations["destructiveHint"] === true || (annotations["destructiveHint"] === undefined && destroys(name));
}

function isFor({ on }: PlainObject, name: string): boolean {
  if (on === undefined) return true;
  const tools: unknown = isObject(on) ? on["tools"] : undefined;
  const globs = Array.isArray(tools) ? tools.filter((glob: unknown) => typeof glob === "string") : [];
  return globMatcher(globs)(name);
}
