import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import type { CoreContext } from "../core/core-context.ts";
import { mcpServer } from "../core/mcp-server.ts";
import type { Resource } from "../core/resource.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { NotesProcess } from "./notes-process.ts";
import { startNotesProcess } from "./notes-process.ts";
import type { QuickstartCatalog } from "./quickstart-catalog.ts";
import { quickstartDocument } from "./quickstart-catalog.ts";
import { unlessRefused } from "./unless-refused.ts";

export interface QuickstartNotesOptions {
  readonly catalog: QuickstartCatalog;
  readonly context: Pick<CoreContext, "clock" | "log">;
  readonly dataPath: string;
  readonly progress: (line: string) => void;
}

/**
 * Starts the notes server over `workspace/` in the data directory and puts the MCP server `notes` before it, or leads
 * the one that is there to where the process is now. The token between the two is in the vault. Undefined when the
 * stored MCP server leads elsewhere, for then its owner has made it theirs, when its owner has deleted it, when the
 * catalog refuses it, and when the process does not start: the rest of the quickstart does without.
 */
export async function startQuickstartNotes(options: QuickstartNotesOptions): Promise<NotesProcess | undefined> {
  const { catalog, context, dataPath, progress } = options;
  const stored = await catalog.find(mcpServer.kind, notesName);
  const preferredPort = notesPort(stored);
  if (stored !== undefined && preferredPort === undefined) return undefined;
  if (await catalog.wasDeleted(mcpServer.kind, notesName)) return undefined;
  const token = await notesToken(catalog);
  const workspaceFolder = join(dataPath, "workspace");
  try {
    await using starting = new AsyncDisposableStack();
    const notes = starting.use(await startNotesProcess({ workspaceFolder, token, preferredPort, ...context }));
    const url = `http://127.0.0.1:${notes.port}/mcp`;
    const isUp = await unlessRefused("MCP server notes", progress, async () => {
      await putNotes(catalog, stored, url);
      return true;
    });
    if (isUp === undefined) return undefined;
    progress(`notes server in process ${notes.pid}, over ${workspaceFolder}`);
    starting.move();
    return notes;
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "store.unavailable") throw error;
    context.log.error({ err: error }, "the notes server of the quickstart did not start");
    progress(`no MCP server this time: ${error.message} The log says why`);
    return undefined;
  }
}

/** The name of the quickstart's MCP server. */
export const notesName = "notes";

const tokenName = "notes-token";

const withUrl = z.looseObject({ upstream: z.looseObject({ production: z.looseObject({ url: z.string() }) }) });

function notesPort(stored: Resource | undefined): number | undefined {
  const url = withUrl.safeParse(stored?.spec).data?.upstream.production.url ?? "";
  const port = /^http:\/\/127\.0\.0\.1:(\d{1,5})\/mcp$/.exec(url)?.[1];
  return port === undefined ? undefined : Number(port);
}

async function notesToken(catalog: QuickstartCatalog): Promise<string> {
  const known = await catalog.secret(tokenName);
  if (known !== undefined) return known;
  const token = randomBytes(32).toString("base64url");
  await catalog.putSecret(tokenName, token);
  return token;
}

async function putNotes(catalog: QuickstartCatalog, stored: Resource | undefined, url: string): Promise<void> {
  if (stored === undefined) {
    await catalog.put([
      quickstartDocument(mcpServer.kind, notesName, {
        displayName: "Notes and files",
        description: "The quickstart's MCP server: notes and text files in the workspace of the data directory.",
        context: `/${notesName}`,
        upstream: {
          production: {
            url,
            auth: { secret: `\${secret:${tokenName}}` },
            breaker: { openMs: 1_000 }, // it is back that soon after it has ended
          },
          sandbox: { sameAs: "production" },
        },
      }),
    ]);
    return;
  }
  const spec = withUrl.parse(stored.spec);
  const { upstream } = spec;
  if (upstream.production.url === url) return;
  const moved = { ...spec, upstream: { ...upstream, production: { ...upstream.production, url } } };
  const document = quickstartDocument(mcpServer.kind, notesName, moved, stored.labels);
  await catalog.put([document], { draft: !(await catalog.isDeployed(stored)) });
}
