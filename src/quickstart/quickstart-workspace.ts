import { z } from "zod";
import { mcpServer } from "../core/mcp-server.ts";
import { booksDescription } from "./demo-books.ts";
import type { QuickstartCatalog } from "./quickstart-catalog.ts";
import { quickstartDocument } from "./quickstart-catalog.ts";
import { notesName } from "./quickstart-notes.ts";

/** The MCP server that is made of a REST API's description. */
export const booksName = "books";

/** The virtual MCP server. */
export const workspaceName = "workspace";

/**
 * Puts up the MCP server `books`, made of the OpenAPI description of the demonstration's REST API, and the virtual server
 * `workspace` of it and `notes`; or leads `books` to where that API is now. What its owner has changed or deleted stays so.
 */
export async function putWorkspace(catalog: QuickstartCatalog, demoUrl: string): Promise<void> {
  const stored = await catalog.find(mcpServer.kind, booksName);
  const ours = withDemoUrl.safeParse(stored?.spec).data;
  if (stored === undefined && !(await catalog.wasDeleted(mcpServer.kind, booksName))) {
    await catalog.put([booksDocument(demoUrl)]);
  } else if (stored !== undefined && ours !== undefined && ours.openapi.production.url !== demoUrl) {
    const spec = { ...ours, openapi: { ...ours.openapi, production: { ...ours.openapi.production, url: demoUrl } } };
    const document = quickstartDocument(mcpServer.kind, booksName, spec, stored.labels);
    await catalog.put([document], { draft: !(await catalog.isDeployed(stored)) });
  }
  if ((await catalog.find(mcpServer.kind, workspaceName)) !== undefined) return;
  if (await catalog.wasDeleted(mcpServer.kind, workspaceName)) return;
  const members = [notesName, booksName];
  for (const member of members) if ((await catalog.find(mcpServer.kind, member)) === undefined) return;
  await catalog.put([workspaceDocument(members)]);
}

const withDemoUrl = z.looseObject({
  openapi: z.looseObject({ production: z.looseObject({ url: z.string().regex(/^http:\/\/127\.0\.0\.1:\d{1,5}$/) }) }),
});

function booksDocument(url: string): unknown {
  return quickstartDocument(mcpServer.kind, booksName, {
    displayName: "Books",
    description: "The demonstration's REST API, whose operations are tools.",
    context: `/${booksName}`,
    openapi: {
      document: booksDescription,
      select: ["find_books", "get_book"],
      production: { url },
      sandbox: { sameAs: "production" },
    },
  });
}

function workspaceDocument(members: readonly string[]): unknown {
  return quickstartDocument(mcpServer.kind, workspaceName, {
    displayName: "Workspace",
    description: "Notes, files and books behind one address: a virtual server of two others.",
    context: `/${workspaceName}`,
    virtual: { servers: members.map((server) => ({ server })) },
  });
}
