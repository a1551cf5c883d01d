import type { McpBackend } from "../backend.ts";
import type { ListKind } from "./merge-entries.ts";

/** One of the servers that a virtual server is made of. */
export interface Member {
  readonly name: string;
  /** The server as this caller may use it: whatever holds for it by itself holds here too. */
  readonly backend: McpBackend;
  /** Whether this of it is taken, by its own name. */
  takes(kind: ListKind, name: string): boolean;
  /** What a tool or prompt of it is called to clients; resources keep their URIs. */
  rename(kind: ListKind, name: string): string;
}
