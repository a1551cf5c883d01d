/** Told once, when what it listens to was cancelled. */
export interface CancellationListener {
  onCancel(reason: unknown): void;
}

/**
 * What an `AbortController` is, for the request's path: a listener costs a field and not an event target. The standard
 * signal is made when somebody first asks for it, for libraries that want one.
 */
export class Cancellation {
  #isCancelled = false;
  #reason: unknown;
  #first: CancellationListener | undefined;
  #others: Set<CancellationListener> | undefined;
  #controller: AbortController | undefined;

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** What `cancel` was given; undefined before. */
  get reason(): unknown {
    return this.#reason;
  }

  /** The same as a standard signal. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isCancelled) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /**
   * Tells every listener, each once, in the order in which they came, and none that another has taken off by then. Only
   * the first call counts. When listeners throw, all are told first; then the first error rises.
   */
  cancel(reason: unknown): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#reason = reason;
    const thrown: unknown[] = [];
    for (let listener = this.#next(); listener !== undefined; listener = this.#next()) {
      try {
        listener.onCancel(reason);
      } catch (error) {
        thrown.push(error);
      }
    }
    this.#controller?.abort(reason);
    if (thrown.length > 0) throw thrown[0];
  }

  #next(): CancellationListener | undefined {
    const listener = this.#first ?? this.#others?.values().next().value;
    if (listener !== undefined) this.ignore(listener);
    return listener;
  }

  /** Does nothing once it is cancelled: look at `isCancelled` first. */
  listen(listener: CancellationListener): void {
    if (this.#isCancelled) return;
    if (this.#first === undefined && this.#others === undefined) this.#first = listener;
    else (this.#others ??= new Set()).add(listener);
  }

  ignore(listener: CancellationListener): void {
    if (this.#first === listener) this.#first = undefined;
    else this.#others?.delete(listener);
    if (this.#others?.size === 0) this.#others = undefined;
  }
}

/** A cancellation that follows a standard signal. */
export function cancellationOf(signal: AbortSignal): Cancellation {
  const cancellation = new Cancellation();
  if (signal.aborted) cancellation.cancel(signal.reason);
  else signal.addEventListener("abort", () => cancellation.cancel(signal.reason), { once: true });
  return cancellation;
}
