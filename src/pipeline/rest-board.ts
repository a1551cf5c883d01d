/** That a target is left alone, at one gateway or at all. */
export interface TargetRest {
  /** As `targetKey` names it. */
  readonly target: string;
  /** Empty where the rest is of all that the target serves. */
  readonly model: string;
  /** Milliseconds from now; 0 tells that it has ended before its time. */
  readonly restMs: number;
  /** The target has asked for it. */
  readonly asked: boolean;
}

/**
 * Where gateways tell each other which targets rest. Beside the requests' path and best effort: while the store behind it
 * is away each gateway knows what it has seen itself.
 */
export interface RestBoard {
  /** Returns at once and never throws. */
  tell(rest: TargetRest): void;
  /**
   * From now on calls `listener` with each rest that is told, also with those from before that still last, and with the
   * end of one that was called off. What this gateway told comes back to it too. Ends with the result's disposal.
   */
  follow(listener: (rest: TargetRest) => void): Disposable;
}
