import { z } from "zod";
import { parseJson } from "../kernel/parse-json.ts";
import { readPrivateFile, writePrivateFile } from "../store/private-file.ts";
import { clientFactsSchema } from "./quickstart-client.ts";

const apiSchema = z.looseObject({
  kind: z.string(),
  name: z.string(),
  /** What a client is configured with: for an LLM API the base URL of an SDK. */
  url: z.string(),
  apiKey: z.string(),
  /** A model to ask for; LLM APIs only. */
  model: z.string().optional(),
  /** A name that a router finds a model for. */
  routedModel: z.string().optional(),
  /** Of many tools in a request only those go on that fit it. */
  filtersTools: z.boolean().optional(),
});

const factsSchema = z.looseObject({
  gatewayUrl: z.string(),
  controlUrl: z.string(),
  adminToken: z.string(),
  apis: z.array(apiSchema),
  /** A client that gets tokens for one of them. */
  client: clientFactsSchema.optional(),
});

/** An API of the quickstart and the key that opens it. */
export type QuickstartApi = z.output<typeof apiSchema>;

/** What `quickstart.json` holds: where everything is and what opens it. */
export type QuickstartFacts = z.output<typeof factsSchema>;

/** The facts of the last start; undefined when there are none, or none that can be read. */
export async function readQuickstartFile(path: string): Promise<QuickstartFacts | undefined> {
  const text = await readPrivateFile(path);
  if (text === undefined) return undefined;
  try {
    return factsSchema.safeParse(parseJson(text)).data;
  } catch {
    return undefined; // damaged: the next one is written in its place
  }
}

/** Writes the facts for their owner alone (0600): they hold keys. */
export function writeQuickstartFile(path: string, facts: QuickstartFacts): Promise<void> {
  return writePrivateFile(path, `${JSON.stringify(facts, undefined, 2)}\n`);
}
