type Json = Record<string, unknown>;

/** The operations with a tag of a large OpenAPI description, and what they refer to; a whole description again. */
export function sliceOf(whole: Json, tag: string): Json {
  const paths = Object.fromEntries(
    Object.entries(whole["paths"] as Record<string, Json>).flatMap(([path, item]) => {
      const own = Object.entries(item).filter(([, operation]) => tagsOf(operation).includes(tag));
      return own.length === 0 ? [] : [[path, Object.fromEntries(own)]];
    }),
  );
  const components: Record<string, Json> = {};
  const waiting = [...references(paths)];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [kind = "", name = ""] = next.slice("#/components/".length).split("/");
    const group = (components[kind] ??= {});
    if (name in group) continue;
    group[name] = (whole["components"] as Record<string, Json>)[kind]?.[name];
    waiting.push(...references(group[name]));
  }
  const { openapi, info, servers, tags } = whole;
  return { openapi, info, servers, tags: (tags as Json[]).filter(({ name }) => name === tag), paths, components };
}

function tagsOf(operation: unknown): readonly unknown[] {
  const { tags } = operation as { readonly tags?: readonly unknown[] }; // of a path's item, whatever its member
  return tags ?? [];
}

function references(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === "$ref" && typeof member === "string" && member.startsWith("#/components/") ? [member] : references(member),
  );
}
