import type { JsonObject } from "./json-object.ts";
import { isJsonObject, listMember, objectMember, ownMember, sortedMembers, textMember } from "./json-object.ts";
import type { OpenApiDocument } from "./openapi-document.ts";
import { dereference } from "./openapi-document.ts";

/** Methods that a tool may use; TRACE shows the credentials that it was sent with. */
export const operationMethods = ["delete", "get", "head", "options", "patch", "post", "put"] as const;

/** An operation of a description. */
export interface OpenApiOperation {
  /** In capitals. */
  readonly method: string;
  /** As it stands in the description: `/pets/{petId}`. */
  readonly path: string;
  readonly operationId: string | undefined;
  readonly tags: readonly string[];
  readonly node: JsonObject;
  /** What stands beside it in its path: parameters and servers for all methods. */
  readonly pathItem: JsonObject;
}

/** All operations, by path and then method. Path items that cannot be resolved come as `broken`, with the reason. */
export function listOperations(document: OpenApiDocument): {
  readonly operations: readonly OpenApiOperation[];
  readonly broken: readonly { readonly path: string; readonly cause: unknown }[];
} {
  const operations: OpenApiOperation[] = [];
  const broken: { path: string; cause: unknown }[] = [];
  for (const [path, value] of sortedMembers(objectMember(document.root, "paths"))) {
    if (!path.startsWith("/")) continue; // an extension such as x-groups
    try {
      const pathItem = dereference(document, value).value;
      if (isJsonObject(pathItem)) operations.push(...operationsOf(path, pathItem));
    } catch (cause) {
      broken.push({ path, cause });
    }
  }
  return { operations, broken };
}

function operationsOf(path: string, pathItem: JsonObject): readonly OpenApiOperation[] {
  return operationMethods.flatMap((method) => {
    const node = ownMember(pathItem, method);
    if (!isJsonObject(node)) return [];
    const tags = listMember(node, "tags").filter((tag): tag is string => typeof tag === "string");
    return [{ method: method.toUpperCase(), path, operationId: textMember(node, "operationId"), tags, node, pathItem }];
  });
}
