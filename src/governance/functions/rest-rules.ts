import type { PlainObject, RuleFunction, RuleResult } from "./rule-function.ts";
import { isObject, objectsOf } from "./rule-function.ts";

/** Functions that look at an OpenAPI document, whose references are followed. */
export const restRules: Readonly<Record<string, RuleFunction>> = {
  /** A parameter's name is a word in camel or snake case. Option `of`: the places of the parameters that are looked at. */
  namedInWords(parameter, options, { path }) {
    if (!isObject(parameter) || !isObject(options)) return [];
    const { name, in: place } = parameter;
    const places: readonly unknown[] = Array.isArray(options["of"]) ? options["of"] : [];
    if (typeof name !== "string" || !places.includes(place)) return [];
    return /^[$_]?[a-z][A-Za-z0-9_.[\]]*$/.test(name)
      ? []
      : [{ message: `${name} is no plain word`, path: [...path, "name"] }];
  },

  /** A parameter is no header that OpenAPI ignores as one (3.1.0, 4.8.12.1). */
  ownHeaders(parameter, _, { path }) {
    if (!isObject(parameter)) return [];
    const { name, in: place } = parameter;
    if (place !== "header" || typeof name !== "string" || !setByHttp.has(name.toLowerCase())) return [];
    return [{ message: `${name} is set elsewhere`, path: [...path, "name"] }];
  },

  /** Of `paths`: what answers a list takes a parameter that says how much of it, or where to go on. */
  listsPaged(paths) {
    return Object.entries(isObject(paths) ? paths : {}).flatMap(([address, item]): RuleResult[] => {
      const operation = isObject(item) ? item["get"] : undefined;
      if (!isObject(item) || !isObject(operation) || !answersList(operation)) return [];
      const parameters = [...objectsOf(item["parameters"]), ...objectsOf(operation["parameters"])];
      const isPaged = parameters.some(({ item: { name } }) => typeof name === "string" && paging.test(name));
      return isPaged ? [] : [{ message: `GET ${address} answers the whole list`, path: ["paths", address, "get"] }];
    });
  },
};

const setByHttp = new Set(["accept", "content-type", "authorization"]);
const paging =
  /^(page|per_?page|page_?(size|token|number)|limit|offset|cursor|after|before|starting_after|skip|top|\$top|\$skip|size|count|max_?results|next_?token)$/i;

/** Whether what is answered is a list, or an object with one list and little else. */
function answersList({ responses }: PlainObject): boolean {
  const answers = Object.entries(isObject(responses) ? responses : {}).flatMap(([status, answer]) =>
    status.startsWith("2") && isObject(answer) ? [answer] : [],
  );
  return answers.some((answer) => {
    const media = Object.values(isObject(answer["content"]) ? answer["content"] : {});
    return [answer, ...media].some((each) => isObject(each) && isList(each["schema"]));
  });
}

function isList(schema: unknown): boolean {
  if (!isObject(schema)) return false;
  if (schema["type"] === "array") return true;
  const { items, data, results, values } = isObject(schema["properties"]) ? schema["properties"] : {};
  return [items, data, results, values].some((each) => isObject(each) && each["type"] === "array");
}
