import type { IncomingMessage } from "node:http";
import type { Actor } from "../core/core-context.ts";
import type { Caller } from "./caller.ts";

/** What the middleware of one request share. */
export interface ControlEnv {
  /** As the listener gives it; absent where a test calls the app without a socket. */
  Bindings: { readonly incoming?: IncomingMessage };
  Variables: {
    requestId: string;
    /** Of the caller, in canonical form; empty where it is not known. */
    clientAddress: string;
    /** Who was let in; absent before that is known. */
    actor: Actor | undefined;
    /** The same with what they came by; absent on routes for everybody. */
    caller: Caller | undefined;
    /** Methods of this path, for the `Allow` header of a 405. */
    allow: string;
    /** The code of the error that was answered, for the log. */
    code: string;
  };
}
