/** A check that a bridge cannot satisfy, and why. */
export interface ExpectedGap {
  readonly scenario: string;
  /** Checks of the scenario that fail. */
  readonly checks: number;
  readonly reason: string;
}

/**
 * What the suite of 2026-07-28 finds missing where the server behind the gateway is of the sessions' era. May only
 * shrink: an entry whose scenario passes, or fails in fewer checks, is a failure of its own.
 */
export const bridgeGaps: readonly ExpectedGap[] = [
  {
    scenario: "server-stateless",
    checks: 2,
    reason:
      "Such a server looks at the client's capabilities itself and answers with a tool's error in words of its own: nobody can tell that from any other failure, so it is no -32021.",
  },
  {
    scenario: "input-required-result-basic-elicitation",
    checks: 1,
    reason: "A request of such a server has no name that could be a key of `inputRequests`; the suite wants one.",
  },
  {
    scenario: "input-required-result-multiple-input-requests",
    checks: 1,
    reason: "Such a server asks one thing after another on the call's stream; what it will ask next nobody knows.",
  },
  {
    scenario: "input-required-result-capability-check",
    checks: 1,
    reason: "The tool asks by what the client can in each request; in a session it learns that once, by other means.",
  },
];
