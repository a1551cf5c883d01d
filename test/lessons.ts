import type { Behaviour } from "./behaviour.ts";

/** What went wrong in gateways of others (their published vulnerabilities), and the tests that keep it from us. */
export const lessons: readonly Behaviour[] = [
  {
    number: 1,
    behaviour: "A key is checked for its form before anything is asked of a store (CVE-2026-42208)",
    tests: [["test/identity/credential-index.test.ts", "names that objects inherit are no keys"]],
  },
  {
    number: 2,
    behaviour: "Two tokens never share what is remembered of one (CVE-2026-35030)",
    tests: [
      ["test/identity/token-verifier.test.ts", "is known at once, without its signature"],
      ["test/gateway/bad-tokens.test.ts", "signed by HS256 with the public key"],
    ],
  },
  {
    number: 3,
    behaviour: "Rights go by the path that the router matched, whatever Host says (CVE-2026-49468)",
    tests: [
      [
        "test/control/control-app.test.ts",
        "refuses an absolute request target of another host behind an allowed Host header",
      ],
      [
        "test/control/control-app.test.ts",
        "a handler that was put past the route table is not reached, whatever its method",
      ],
    ],
  },
  {
    number: 4,
    behaviour: "Every route asks for a permission, and is tried with every role (CVE-2026-35029)",
    tests: [
      ["test/control/role-route.test.ts", "$method $path lets in who has $permission, and nobody else"],
      ["test/control/role-route.test.ts", "a kind that the table forgot is for admins alone"],
    ],
  },
  {
    number: 5,
    behaviour: "Nobody gives more than they have, to themselves or others (CVE-2026-47101, CVE-2026-47102)",
    tests: [
      ["test/control/escalation.test.ts", "never $name"],
      ["test/control/escalation.test.ts", "cannot change themselves upward"],
    ],
  },
  {
    number: 6,
    behaviour: "Sessions end at the server when somebody signs out (CVE-2026-12796)",
    tests: [["test/control/session-routes.test.ts", "signing out ends the session here, whoever has kept the cookie"]],
  },
  {
    number: 7,
    behaviour: "No command comes by the API (CVE-2026-42271, CVE-2026-90898)",
    tests: [
      [
        "test/gateway/mcp/channel/published-stdio.test.ts",
        "a command that nobody has allowed is refused at publish, with the name that was meant",
      ],
    ],
  },
  {
    number: 8,
    behaviour: "No caller chooses where requests go (CVE-2024-6587, CVE-2025-66405)",
    tests: [
      [
        "test/gateway/llm/callers-hosts.test.ts",
        "no header, query or member of a caller's leads a request to another host, or the upstream's key there",
      ],
      [
        "test/gateway/mcp/credentials.test.ts",
        "nothing by which the client shows itself goes up, and what belongs to the protocol does",
      ],
    ],
  },
  {
    number: 9,
    behaviour: "No credential is in logs, answers or files (CVE-2024-9606, CVE-2025-11203)",
    tests: [
      ["test/e2e/secret-places.test.ts", "nothing that the process printed holds one"],
      [
        "test/e2e/secret-places.test.ts",
        "no answer of the control API holds one, neither to those who wrote it nor to those who read",
      ],
    ],
  },
  {
    number: 10,
    behaviour: "What development permits is not there elsewhere (CVE-2026-110719)",
    tests: [
      [
        "test/kernel/network-policy.test.ts",
        "development lets the operator, and nobody else, name hosts on this machine and in the private network",
      ],
      ["test/kernel/network-policy.test.ts", "production reaches public addresses only, whoever chose them"],
    ],
  },
  {
    number: 11,
    behaviour: "Every special range is known, by whatever spelling (CVE-2026-55245)",
    tests: [
      ["test/kernel/address-class.test.ts", "a mapped address has the class of the address that it maps"],
      ["test/kernel/address-class.test.ts", "no tunnel makes an address look more harmless than it is"],
    ],
  },
  {
    number: 12,
    behaviour: "Arguments of a tool stay in their place in a request (CVE-2026-29791)",
    tests: [
      [
        "test/mcp/openapi/injection.test.ts",
        "never change the server, the segments of the path, the other parameters or the headers",
      ],
    ],
  },
  {
    number: 13,
    behaviour: "Redirects and second answers of name servers are looked at as the first (GO-2025-4154)",
    tests: [
      [
        "test/kernel/safe-fetch.test.ts",
        "to an address that an answer may not choose is refused, although the operator might",
      ],
      ["test/kernel/safe-fetch.test.ts", "cannot be slipped in by a second answer of the name server"],
    ],
  },
  {
    number: 14,
    behaviour: "Guardrails hold for streams as for whole answers (api7/aisix#204)",
    tests: [
      [
        "test/gateway/llm/guardrail-matrix.test.ts",
        "redacts an answer that comes as a stream although none was asked for",
      ],
      ["test/gateway/mcp/policies.test.ts", "rewrites each event of a stream, whose names, ids and lines stay"],
    ],
  },
  {
    number: 15,
    behaviour: "Limits hold before anything is routed, whatever the endpoint (maximhq/bifrost#2873)",
    tests: [
      ["test/gateway/mcp/batch-limits.test.ts", "a batch of a hundred calls against a limit of ten: ten are answered"],
      ["test/gateway/llm/limits.test.ts", "of nought let nothing through, and two over the same window both hold"],
    ],
  },
  {
    number: 16,
    behaviour: "A key has one purpose, and can do no other work (CVE-2026-114612)",
    tests: [
      ["test/kernel/crypto.test.ts", "differ by label and by master key"],
      ["test/kernel/crypto.test.ts", "of one purpose cannot do the other's work"],
    ],
  },
  {
    number: 17,
    behaviour: "No code comes by the API, in a ruleset, a template or a plug-in (CVE-2026-42203, CVE-2026-86242)",
    tests: [
      ["test/governance/governance.test.ts", "with functions of its own is refused"],
      ["test/guardrails/prompt-template.test.ts", "whatever a value is, it stands in the prompt as it was given"],
    ],
  },
  {
    number: 18,
    behaviour: "Who writes a secret does not read it again (GO-2026-5652)",
    tests: [
      ["test/core/secrets.test.ts", "neither what is shown, nor the audit, nor a message holds a value, sealed or not"],
    ],
  },
];
