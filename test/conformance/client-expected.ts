import type { ExpectedGap } from "./bridge-expected.ts";

/**
 * Client scenarios of the official suite in which checks fail through the gateway. May only shrink: an entry whose
 * scenario passes, or fails in fewer checks, is a failure of its own.
 */
export const clientGaps: readonly ExpectedGap[] = [
  {
    scenario: "auth/dpop",
    checks: 3,
    reason: "The gateway asks for bearer tokens; proof of possession (RFC 9449) is an extension that it does not have.",
  },
  {
    scenario: "auth/dpop-nonce",
    checks: 5,
    reason: "As auth/dpop.",
  },
  {
    scenario: "auth/wif-jwt-bearer",
    checks: 1,
    reason: "Workload identity federation is an extension that the gateway does not have.",
  },
];
