import type { ApiArtifact, ArtifactSet } from "../core/plane-message.ts";

/**
 * A configuration as analytics keeps it for each time that something is published: with `null` in the place of OpenAPI
 * descriptions, which can be megabytes and stand in the revision that `revision` and `specHash` name.
 */
export function keptConfiguration({ hash, apis, supporting }: ArtifactSet): ArtifactSet {
  return { hash, apis: apis.map(withoutDescription), supporting };
}

function withoutDescription(api: ApiArtifact): ApiArtifact {
  const { spec } = api;
  if (!isObject(spec)) return api;
  const { definition, openapi } = spec;
  const source: unknown = isObject(openapi) ? openapi["source"] : undefined;
  return {
    ...api,
    spec: {
      ...spec,
      ...(isObject(definition) && { definition: null }),
      ...(isObject(openapi) && {
        openapi: { ...openapi, document: null, ...(isObject(source) && { source: { ...source, others: null } }) },
      }),
    },
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
