import type { PassThroughFamily } from "../../../core/llm-pass-through.ts";
import type { AdapterRoute } from "../../../pipeline/adapter.ts";

/** An endpoint that an API may open; see the reference of OpenAI's API, and of Jina and vLLM for `rerank`. */
export interface PassThroughEndpoint {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the API's context; `:id` stands for what the provider calls something that it keeps. */
  readonly path: string;
  readonly family: PassThroughFamily;
  /**
   * What is asked: a model, with JSON or with a form; that a file is kept, or a batch run; something of an object that is
   * kept; a list of those.
   */
  readonly asks: "json" | "form" | "file" | "batch" | "object" | "list";
}

const endpoints: readonly PassThroughEndpoint[] = [
  { method: "POST", path: "/v1/images/generations", family: "images", asks: "json" },
  { method: "POST", path: "/v1/images/edits", family: "images", asks: "form" },
  { method: "POST", path: "/v1/images/variations", family: "images", asks: "form" },
  { method: "POST", path: "/v1/audio/speech", family: "audio", asks: "json" },
  { method: "POST", path: "/v1/audio/transcriptions", family: "audio", asks: "form" },
  { method: "POST", path: "/v1/audio/translations", family: "audio", asks: "form" },
  { method: "POST", path: "/v1/moderations", family: "moderations", asks: "json" },
  { method: "POST", path: "/v1/rerank", family: "rerank", asks: "json" },
  { method: "POST", path: "/v1/files", family: "files", asks: "file" },
  { method: "GET", path: "/v1/files", family: "files", asks: "list" },
  { method: "GET", path: "/v1/files/:id", family: "files", asks: "object" },
  { method: "DELETE", path: "/v1/files/:id", family: "files", asks: "object" },
  { method: "GET", path: "/v1/files/:id/content", family: "files", asks: "object" },
  { method: "POST", path: "/v1/batches", family: "batches", asks: "batch" },
  { method: "GET", path: "/v1/batches", family: "batches", asks: "list" },
  { method: "GET", path: "/v1/batches/:id", family: "batches", asks: "object" },
  { method: "POST", path: "/v1/batches/:id/cancel", family: "batches", asks: "object" },
];

/** The routes of the families that an API opens; those of the others do not exist there. */
export function passThroughRoutes(families: readonly PassThroughFamily[]): readonly AdapterRoute[] {
  return endpoints.filter(({ family }) => families.includes(family)).map(({ method, path }) => ({ method, path }));
}

/** Whether a model is at work for it, be it later as in a batch. */
export function usesModel({ family, asks }: Pick<PassThroughEndpoint, "family" | "asks">): boolean {
  return family !== "files" && asks !== "object" && asks !== "list";
}

export interface FoundEndpoint extends PassThroughEndpoint {
  /** Of an `object`: what the provider calls it. */
  readonly id: string;
  /** The path that was asked for, with its id, below the provider's base URL. */
  readonly providerPath: string;
}

const idForm = /^[A-Za-z0-9_-]{1,200}$/;

/** The endpoint of a path below the API's context; undefined where there is none, or its id is one that nobody gives. */
export function findEndpoint(method: string, path: string): FoundEndpoint | undefined {
  const parts = path.split("/");
  for (const endpoint of endpoints) {
    if (endpoint.method !== method) continue;
    const wanted = endpoint.path.split("/");
    const isMeant = (part: string, at: number): boolean =>
      part === ":id" ? idForm.test(parts[at] ?? "") : part === parts[at];
    if (wanted.length !== parts.length || !wanted.every(isMeant)) continue;
    return { ...endpoint, id: parts[wanted.indexOf(":id")] ?? "", providerPath: path.slice("/v1".length) };
  }
  return undefined;
}
