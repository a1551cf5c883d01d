import { seededRandom } from "../../scripts/eval/random.ts";

/**
 * An OpenAPI 3.0 document of that many operations, as JSON with line ends; the same for the same seed. Its operations have
 * parameters, bodies, examples and references, and here and there a fault: no description, an example that its schema does
 * not take, a schema that nothing uses.
 */
export function largeDescription(operations: number, seed: number): string {
  const random = seededRandom(seed);
  const chance = (share: number): boolean => random() < share;
  const nouns = Array.from(
    { length: Math.ceil(operations / methods.length) },
    (_, at) => `${words[at % words.length]}${at}`,
  );
  const paths: Record<string, Record<string, unknown>> = {};
  for (let at = 0; at < operations; at += 1) {
    const noun = nouns[Math.floor(at / methods.length)] ?? "";
    const method = methods[at % methods.length] ?? "get";
    const path = method === "post" || method === "get" ? `/v1/${noun}s` : `/v1/${noun}s/{id}`;
    paths[path] = { ...paths[path], [method]: operation(noun, method, path.endsWith("}"), chance) };
  }
  const schemas = Object.fromEntries(nouns.flatMap((noun) => [[schemaName(noun), schema(chance)]]));
  const document = {
    openapi: "3.0.3",
    info: { title: "Harbour", version: "1.4.0", description: "Berths, ships and what they carry.", contact: {} },
    servers: [{ url: "https://harbour.example.com" }],
    tags: [{ name: "harbour", description: "All of it." }],
    paths,
    components: { schemas: { ...schemas, Unused: { type: "string" }, Problem: problem } },
  };
  return JSON.stringify(document, undefined, 2);
}

const methods = ["get", "post", "put", "patch", "delete"] as const;
const words = ["berth", "ship", "cargo", "crane", "pilot", "tide", "invoice", "permit", "crew", "route"];
const problem = {
  type: "object",
  properties: { title: { type: "string" }, status: { type: "integer", format: "int32" }, detail: { type: "string" } },
};

function operation(noun: string, method: string, hasId: boolean, chance: (share: number) => boolean): object {
  const reference = { $ref: `#/components/schemas/${schemaName(noun)}` };
  const id = { name: "id", in: "path", required: true, schema: { type: "string", maxLength: 36 } };
  const limit = { name: "limit", in: "query", schema: { type: "integer", ...(chance(0.5) && { maximum: 100 }) } };
  const content = { "application/json": { schema: reference, ...(chance(0.3) && { example: example(chance(0.2)) }) } };
  return {
    operationId: `${method}_${noun}${hasId ? "_one" : ""}`,
    summary: `${method} of a ${noun}`,
    ...(chance(0.9) && { description: `What happens to a ${noun} when it is asked for by ${method}.` }),
    ...(chance(0.9) && { tags: ["harbour"] }),
    parameters: [...(hasId ? [id] : []), ...(method === "get" ? [limit] : [])],
    ...((method === "post" || method === "put" || method === "patch") && { requestBody: { required: true, content } }),
    responses: {
      "200": { description: "It is done.", content },
      ...(chance(0.7) && {
        "400": {
          description: "It cannot be.",
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      }),
    },
  };
}

function schema(chance: (share: number) => boolean): object {
  return {
    type: "object",
    ...(chance(0.8) && { description: "As it is kept." }),
    required: ["id", "name"],
    properties: {
      id: { type: "string", format: "uuid" },
      name: { type: "string", ...(chance(0.5) && { maxLength: 80 }) },
      tonnes: { type: "number", format: "double", minimum: 0 },
      berthedAt: { type: "string", format: "date-time" },
      marks: { type: "array", items: { type: "string", enum: ["fragile", "cold", "dangerous"] }, maxItems: 8 },
      owner: {
        type: "object",
        properties: { name: { type: "string" }, country: { type: "string", pattern: "^[A-Z]{2}$" } },
      },
    },
  };
}

function example(isWrong: boolean): object {
  return { id: "6f1c0f6e-6a52-4d63-9d05-0d5f6f7e7f10", name: isWrong ? 7 : "Aurora", tonnes: 4_200.5, marks: ["cold"] };
}

function schemaName(noun: string): string {
  return `${noun.charAt(0).toUpperCase()}${noun.slice(1)}`;
}
