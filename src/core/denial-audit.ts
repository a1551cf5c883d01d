import { toGatewayError } from "../kernel/errors.ts";
import type { AuditAction } from "./audit-actions.ts";
import type { ActorOrigin, CoreContext } from "./core-context.ts";
import { audit, inWrite } from "./write.ts";

/** Somebody was not let in, or not to what they wanted. */
export interface Denial {
  readonly action: Extract<AuditAction, "control.denied" | "login.failed">;
  /** Who, as far as it is known; `anonymous` else. Never a name that a stranger has made up. */
  readonly actor: string;
  readonly actorType: "admin" | "system" | "user" | "token" | "anonymous";
  /** What was asked for: a declared route or an endpoint, never a path as it came. */
  readonly target: string;
  /** The error code that was answered. */
  readonly code: string;
  readonly origin: ActorOrigin | undefined;
}

/** Puts denials into the audit, so that nobody can fill it with them. */
export interface DenialAudit extends AsyncDisposable {
  /** Returns at once; what cannot be written is logged. */
  note(denial: Denial): void;
}

/** The same denial of the same caller is one row at its beginning, and one with their number at the end of this time. */
const windowMs = 600_000;
/** Rows for beginnings in one window; denials of further callers are counted together. */
const maxCallers = 100;

/** Disposing writes what was only counted so far. */
export function createDenialAudit(context: () => CoreContext): DenialAudit {
  let counted = new Map<string, { readonly denial: Denial; times: number }>();
  let cancel: (() => void) | undefined;
  let writing: Promise<void> = Promise.resolve();

  const write = (denial: Denial, times: number): void => {
    writing = writing.then(() => writeDenial(context(), denial, times));
  };
  const closeWindow = (): void => {
    cancel?.();
    cancel = undefined;
    const closed = counted;
    counted = new Map();
    for (const { denial, times } of closed.values()) if (times > 0) write(denial, times);
  };

  return {
    note(denial) {
      cancel ??= context().clock.after(windowMs, closeWindow);
      const { action, actor, actorType, target, code, origin } = denial;
      const key = [action, actorType, actor, target, code, origin?.clientAddress ?? ""].join("\n");
      const known = counted.get(key) ?? counted.get(others);
      if (known !== undefined && (counted.has(key) || counted.size > maxCallers)) {
        known.times += 1;
        return;
      }
      if (counted.size >= maxCallers) {
        counted.set(others, { denial: { ...unknownCaller, action, code }, times: 1 });
        return;
      }
      counted.set(key, { denial, times: 0 });
      write(denial, 1);
    },
    async [Symbol.asyncDispose]() {
      closeWindow();
      await writing;
    },
  };
}

const others = "others";

const unknownCaller = { actor: "others", actorType: "anonymous", target: "any", origin: undefined } as const;

async function writeDenial(context: CoreContext, denial: Denial, times: number): Promise<void> {
  const { action, actor, actorType, target, code, origin } = denial;
  try {
    await inWrite(context, { type: actorType, id: actor, ...(origin && { origin }) }, (write) =>
      audit(write, action, { kind: "Control", id: "", name: target, teamId: "" }, { code, times }),
    );
  } catch (error) {
    context.log.warn({ err: error, detail: toGatewayError(error).detail }, "a denial could not be put into the audit");
  }
}
