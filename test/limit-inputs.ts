import type { Behaviour } from "./behaviour.ts";

/** What is hostile or odd about limits, roles and their stores, and the tests that show how it is met. */
export const limitInputs: readonly Behaviour[] = [
  {
    number: 1,
    behaviour: "A budget of zero lets nothing through",
    tests: [
      ["test/gateway/llm/limits.test.ts", "of nought let nothing through, and two over the same window both hold"],
      ["test/contract/limiter-quota-contract.ts", "a limit of nothing"],
    ],
  },
  {
    number: 2,
    behaviour: "Windows that overlap are taken from together or not at all",
    tests: [
      ["test/contract/limiter-quota-contract.ts", "over windows that overlap takes from all of them or from none"],
    ],
  },
  {
    number: 3,
    behaviour: "A clock that jumps gives nobody a fresh window, and ends no key before its time",
    tests: [
      [
        "test/contract/limiter-quota-contract.ts",
        "gives no fresh window when the time of day is set back and forth within it, whatever passes meanwhile",
      ],
      ["test/contract/limiter-quota-contract.ts", "that has seen a window never goes back to an earlier one"],
      [
        "test/gateway/bad-bounds.test.ts",
        "ahead ends a key of an hour with 401, and takes nothing from one without an end",
      ],
    ],
  },
  {
    number: 4,
    behaviour: "Nobody edits a role into more than they have",
    tests: [
      ["test/control/escalation.test.ts", "makes an admin of somebody"],
      ["test/control/escalation.test.ts", "takes an admin's password"],
    ],
  },
  {
    number: 5,
    behaviour: "Two admins at once: one write wins, the other is told, and an admin stays",
    tests: [
      ["test/control/escalation.test.ts", "two admins who take each other's role at once: one of them stays"],
      ["test/control/escalation.test.ts", "two admins who change a user at once: the second is told"],
      ["test/control/resource-routes.test.ts", "two admins who read the same version cannot overwrite each other"],
    ],
  },
  {
    number: 6,
    behaviour:
      "A Redis that is slow, gone or flushed does what the policy says of failures, and counts on when it is back",
    tests: [
      ["test/store/redis/limiter.test.ts", "rejects while it is gone, slow or full, and counts on when it is back"],
      ["test/store/redis/limiter.test.ts", "gives back what was taken when the answer comes too late for anybody"],
      [
        "test/store/redis/limiter.test.ts",
        "after FLUSHALL everything is free, and what is settled late is recorded in its window",
      ],
      [
        "test/store/redis/redis-connection.test.ts",
        "a Redis that hangs costs its deadline a few times, then nothing, until it answers again",
      ],
    ],
  },
];
