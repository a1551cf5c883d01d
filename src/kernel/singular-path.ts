import { GatewayError } from "./errors.ts";

/** What a path leads to in a value; undefined where it leads to nothing. */
export type SingularPath = (value: unknown) => unknown;

/** Characters of a path, and steps in it. */
const longestPath = 512;
const mostSteps = 32;

/**
 * Compiles a JSONPath that leads to one place: `$.messages[-1].role`, `$['a b'].c`. An index below 0 counts from the end.
 * Only own members are seen. Throws `resource.invalid` for anything else, wildcards and filters among it.
 * @see https://www.rfc-editor.org/rfc/rfc9535#section-2.3.5.1 (singular-query)
 */
export function compileSingularPath(path: string): SingularPath {
  const steps = path.length > longestPath ? undefined : readSteps(path);
  if (steps === undefined || steps.length > mostSteps) {
    throw new GatewayError(
      "resource.invalid",
      `${path.slice(0, 80)} is no path to one place; write it like $.messages[-1].role, at most ${mostSteps} steps.`,
    );
  }
  return (value) => {
    let found = value;
    for (const step of steps) {
      found = typeof step === "number" ? elementOf(found, step) : memberOf(found, step);
      if (found === undefined) return undefined;
    }
    return found;
  };
}

const step = /\.([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)|\[(-?(?:0|[1-9]\d{0,8}))\]|\['([^'\\]*)'\]|\["([^"\\]*)"\]/y;

function readSteps(path: string): readonly (string | number)[] | undefined {
  if (!path.startsWith("$")) return undefined;
  const steps: (string | number)[] = [];
  step.lastIndex = 1;
  while (step.lastIndex < path.length) {
    const found = step.exec(path);
    if (found === null) return undefined;
    const [, name, index, single, double] = found;
    steps.push(index === undefined ? (name ?? single ?? double ?? "") : Number(index));
  }
  return steps;
}

function elementOf(value: unknown, index: number): unknown {
  return Array.isArray(value) ? value.at(index) : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value) || !Object.hasOwn(value, name))
    return undefined;
  return (value as Readonly<Record<string, unknown>>)[name]; // an object, and the member is its own
}
