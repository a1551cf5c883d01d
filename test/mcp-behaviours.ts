// long: one table, of a row for each behaviour
import type { Behaviour } from "./behaviour.ts";

const m = "test/gateway/mcp";

/** What a gateway for MCP must do to be safe, and the tests that say so. */
export const mcpBehaviours: readonly Behaviour[] = [
  {
    number: 1,
    behaviour: "Host and Origin are looked at on every route, before the key",
    tests: [
      [`${m}/host-and-origin.test.ts`, "$name, before the key is looked at"],
      [`${m}/host-and-origin.test.ts`, "an origin that only begins like ours"],
      [
        "test/control/control-app.test.ts",
        "refuses an absolute request target of another host behind an allowed Host header",
      ],
    ],
  },
  {
    number: 2,
    behaviour: "Only tokens that are meant for this server are taken, of algorithms that were agreed on",
    tests: [
      ["test/gateway/bad-tokens.test.ts", "with alg none"],
      ["test/gateway/bad-tokens.test.ts", "signed by HS256 with the public key"],
      ["test/gateway/bad-tokens.test.ts", "for another API"],
      [
        "test/identity/resident/mcp-client.test.ts",
        "finds its way from a 401 to a tool by itself, asking a person once",
      ],
    ],
  },
  {
    number: 3,
    behaviour: "No token of a client goes up, no credential of the gateway comes down or is written anywhere",
    tests: [
      [
        `${m}/credentials.test.ts`,
        "nothing by which the client shows itself goes up, and what belongs to the protocol does",
      ],
      [`${m}/credentials.test.ts`, "no credential comes down, and none is in a log line, an event or any file"],
      [
        `${m}/credentials/consent.test.ts`,
        "and the caller's own token are in no log line, row, answer or file, and neither crosses over",
      ],
    ],
  },
  {
    number: 4,
    behaviour: "Keys stand in headers, are of one API, and are stored as hashes",
    tests: [
      [`${m}/bad-input.test.ts`, "is taken as a bearer token and in the key header"],
      [`${m}/bad-input.test.ts`, "is not looked for in the query as $name"],
      [`${m}/bad-input.test.ts`, "of another API is refused, and no body is read before it is known"],
      ["test/identity/credential-index.test.ts", "a key matches its own record and no other text does"],
      ["test/kernel/client-address.test.ts", "whatever a client sends, the proxy in front of us decides"],
    ],
  },
  {
    number: 5,
    behaviour: "What may be used is decided in the list and at the call alike, whatever the method",
    tests: [
      [
        `${m}/search/tool-search.test.ts`,
        "answers a call of a hidden tool by call_tool as a direct one, and as one that is not there",
      ],
      [`${m}/search/tool-search.test.ts`, "neither finds nor counts what the caller may not call"],
      [`${m}/narrow-list.test.ts`, "what the caller may not see is neither listed nor counted"],
      [
        "test/mcp/authorization/compile-authorization.test.ts",
        "any caller, any rules: a list shows a target exactly when its use is not refused",
      ],
      [
        "test/mcp/authorization/compile-authorization.test.ts",
        "completion and subscription need what the main method needs",
      ],
      [`${m}/bound-methods.test.ts`, "$name, as if it were not there"],
      [`${m}/virtual/member-rules.test.ts`, "is its authorization, in lists and calls"],
    ],
  },
  {
    number: 6,
    behaviour: "What may not be seen is not told from what is not there",
    tests: [
      [`${m}/bound-methods.test.ts`, "$name, as if it were not there"],
      [`${m}/authorization.test.ts`, "a method that the caller may not use is none"],
    ],
  },
  {
    number: 7,
    behaviour: "Headers and body agree, and policies go by the body",
    tests: [
      [`${m}/bad-input.test.ts`, "arguments of the sessions' era are compared as well"],
      [`${m}/bad-input.test.ts`, "a line break smuggled into a header is no request at all"],
      [`${m}/bad-input.test.ts`, "a name that no header can carry agrees as base64"],
      [
        `${m}/policies.test.ts`,
        "rewrites the headers that repeat a rewritten argument, so that nothing goes up beside the body",
      ],
    ],
  },
  {
    number: 8,
    behaviour: "JSON that two readers understand in two ways is refused",
    tests: [
      [`${m}/bad-input.test.ts`, "a member twice, once escaped"],
      [`${m}/bad-input.test.ts`, "half of a surrogate pair"],
      [`${m}/bad-input.test.ts`, "a byte order mark"],
      [`${m}/limits.test.ts`, "is taken at $limit, and one past it is refused by name"],
    ],
  },
  {
    number: 9,
    behaviour: "Batches are there in the one version that has them, and each message of one counts",
    tests: [
      [`${m}/batch-limits.test.ts`, "a batch of a hundred calls against a limit of ten: ten are answered"],
      [`${m}/batches.test.ts`, "does not get around what a key may call"],
      [`${m}/batches.test.ts`, "in %s, which has none"],
    ],
  },
  {
    number: 10,
    behaviour: "Sessions are sealed, bound to their caller, end for good, and stand in for no key",
    tests: [
      [
        "test/mcp/session-token.test.ts",
        "opens for nobody else, with no other key, and not when a character is changed",
      ],
      [`${m}/face/own-sessions.test.ts`, "is nobody else's, ends when its client says so, and is needed"],
      [
        `${m}/session-bounds.test.ts`,
        "open no more once they were deleted, also where the server itself forgets nothing",
      ],
      [
        `${m}/session-bounds.test.ts`,
        "a session is open for as long as sessionMs, at any gateway, and not a millisecond longer",
      ],
      [
        "test/e2e/mcp-sessions.test.ts",
        "a session goes on at another gateway, is nobody else's there, and outlives a new encryption key",
      ],
    ],
  },
  {
    number: 11,
    behaviour: "Equal ids of two clients never cross",
    tests: [
      [`${m}/isolation.test.ts`, "500 clients with the same id get their own results ($era, streams: $stream)"],
      [`${m}/virtual/virtual-server.test.ts`, "keeps apart what two clients call under equal ids"],
    ],
  },
  {
    number: 12,
    behaviour: "A state that clients carry for the gateway is sealed, for one caller and one request, and good once",
    tests: [
      ["test/mcp/request-state.test.ts", "it opens for nobody else, and for no other request"],
      ["test/mcp/request-state.test.ts", "no text but the one that was given opens"],
      [`${m}/face/parked-calls.test.ts`, "goes on with the input, once"],
      [
        `${m}/face/parked-calls.test.ts`,
        "is not given to another caller, to other arguments, or for a state that was altered; its own goes on",
      ],
    ],
  },
  {
    number: 13,
    behaviour: "A client that leaves ends the work upstream within 100 ms",
    tests: [
      [`${m}/leaving.test.ts`, "$name ends the upstream's work within 100 ms"],
      [`${m}/leaving.test.ts`, "in a crowd leaves no connection behind"],
      [`${m}/virtual/virtual-server.test.ts`, "ends a server's work when the client gives up its call"],
    ],
  },
  {
    number: 14,
    behaviour: "No address that an answer supplies leads inside",
    tests: [
      ["test/kernel/safe-fetch.test.ts", "cannot be slipped in by a second answer of the name server"],
      [
        "test/kernel/safe-fetch.test.ts",
        "to an address that an answer may not choose is refused, although the operator might",
      ],
      ["test/kernel/address-class.test.ts", "no tunnel makes an address look more harmless than it is"],
      ["test/identity/resident/client-documents.test.ts", "at %s is not fetched"],
    ],
  },
  {
    number: 15,
    behaviour: "Addresses of authorization servers are http(s), and nothing is opened by a shell",
    tests: [
      [`${m}/credentials/consent.test.ts`, "javascript:alert(1)"],
      ["test/core/redirect-uri.test.ts", "a scheme of its own for a web client"],
    ],
  },
  {
    number: 16,
    behaviour: "People consent for each client, on a page that nobody else can post or frame",
    tests: [
      [
        `${m}/credentials/consent.test.ts`,
        "says who, where, for whom and what, escaped, in no frame, and cannot be posted from elsewhere",
      ],
      [
        `${m}/credentials/consent.test.ts`,
        "is asked again for another client of the same person, without another turn at the upstream",
      ],
      [
        `${m}/credentials/consent.test.ts`,
        "is good once, in the browser that has begun, with its state and its issuer",
      ],
    ],
  },
  {
    number: 17,
    behaviour:
      "As a client the gateway checks issuers, proves itself, names the resource, and does not climb without end",
    tests: [
      [
        `${m}/credentials/consent.test.ts`,
        "go to no other server: not after the API's address has changed, and not when the resource is another's",
      ],
      [
        `${m}/credentials/renewal.test.ts`,
        "are asked for with those from before, and no third time where they did not help",
      ],
      [
        `${m}/credentials/renewal.test.ts`,
        "is renewed once for many calls, with the resource, and each refresh token is used once",
      ],
    ],
  },
  {
    number: 18,
    behaviour: "A changed definition waits for an approval, a rename is a new tool, and order is no change",
    tests: [
      [`${m}/pins.test.ts`, "a tool that changes is hidden and refused until it is approved; the difference is kept"],
      [
        `${m}/pins.test.ts`,
        "the order of members is no change, one character is, and the difference is told member by member",
      ],
      [
        "test/mcp/pins/pin-board.test.ts",
        "a renamed tool is a new one: with onNew: quarantine it waits, and so does its use",
      ],
      [
        `${m}/refresh-pins.test.ts`,
        "a server is looked at after the start, at intervals, and when it says that a list has changed",
      ],
    ],
  },
  {
    number: 19,
    behaviour: "Poisoned definitions are found, nested texts and prompts too",
    tests: [
      [
        "test/guardrails/tool-poisoning.test.ts",
        "with a poisoned description deep in a schema, an enum's value or a default",
      ],
      ["test/guardrails/tool-poisoning.test.ts", "takes out hidden characters, and leaves what writing needs"],
      [
        "test/guardrails/tool-poisoning.test.ts",
        "finds most poisoned descriptions, and at most one in fifty of real ones by mistake",
      ],
    ],
  },
  {
    number: 20,
    behaviour: "Names of two servers do not collide, and none is taken for the gateway's own",
    tests: [
      [
        `${m}/virtual/member-rules.test.ts`,
        "tools that are known to claim one name are refused, unless it is said who gives way",
      ],
      ["test/mcp/federation/merge-entries.test.ts", "show no name of the gateway's own"],
      ["test/mcp/federation/merge-entries.test.ts", "leave a name to the first who claims it, and tell of the others"],
      ["test/guardrails/tool-poisoning.test.ts", "with a name that mixes scripts, or two that look alike"],
      [
        `${m}/search/tool-search.test.ts`,
        "a server of its own tools of those names is asked by nobody: the gateway's come first",
      ],
    ],
  },
  {
    number: 21,
    behaviour: "Names are at most 64 characters, shortened the same way each time, and lead back",
    tests: [
      ["test/mcp/federation/public-names.test.ts", "is never longer than APIs of models take, and of their characters"],
      ["test/mcp/federation/public-names.test.ts", "differs where the names differ, and is the same each time"],
      [`${m}/virtual/virtual-server.test.ts`, "lists what all have, and calls each by its own name"],
    ],
  },
  {
    number: 22,
    behaviour: "Guardrails see all of a result, in whatever member, message and cut it comes",
    tests: [
      [`${m}/policies.test.ts`, "rewrites a whole result, and leaves every other byte as it was"],
      [`${m}/policies.test.ts`, "rewrites each event of a stream, whose names, ids and lines stay"],
      [`${m}/policies.test.ts`, "sees what a server asks of the client"],
      [`${m}/guarded-results.test.ts`, "comes without the secret and the person in it, whole"],
      [`${m}/guarded-results.test.ts`, "comes without them in a stream, wherever it is cut"],
      [`${m}/guarded-results.test.ts`, "no cut between two bytes of a stream lets anything through"],
      [`${m}/guarded-results.test.ts`, "a blob in base64"],
      [`${m}/guarded-results.test.ts`, "what a server tells before its result is looked at too"],
    ],
  },
  {
    number: 23,
    behaviour: "Everything that a side can make large or long is bounded",
    tests: [
      [`${m}/limits.test.ts`, "is taken at $limit, and one past it is refused by name"],
      [`${m}/limits.test.ts`, "passes at $limit, and one past it is refused by name"],
      [`${m}/limits-of-forms.test.ts`, "is refused one past $limit, by its name"],
      [
        `${m}/limits-of-forms.test.ts`,
        "what checking arguments takes is bounded by schemaSteps, and what is over it is not sent",
      ],
      [`${m}/limits.test.ts`, "in one line of ten megabytes that never ends holds no more than the limit"],
      [`${m}/limits.test.ts`, "are as many as streamsPerCaller says, for each key, and one that is left makes room"],
      ["test/mcp/openapi/schema-checker.test.ts", "a pattern that would hang other engines takes no time"],
      [
        "test/mcp/openapi/schema-checker.test.ts",
        "a definition that is itself, and forms that double at each level, come to an end",
      ],
    ],
  },
  {
    number: 24,
    behaviour: "Circles in descriptions end, and nothing that they point to outside is fetched",
    tests: [
      ["test/mcp/openapi/schema-checker.test.ts", "circles of definitions are followed as deep as the value goes"],
      ["test/mcp/openapi/read-openapi.test.ts", "are not followed: the operation is refused, and the rest is there"],
    ],
  },
  {
    number: 25,
    behaviour: "Arguments change neither path, query nor headers beyond their own place",
    tests: [
      [
        "test/mcp/openapi/injection.test.ts",
        "never change the server, the segments of the path, the other parameters or the headers",
      ],
      ["test/mcp/openapi/injection.test.ts", "two harmless values cannot make a segment of dots together"],
      ["test/mcp/openapi/injection.test.ts", "%j is refused in a header"],
    ],
  },
  {
    number: 26,
    behaviour: "Commands are those of the configuration, without a shell, with an environment of their own",
    tests: [
      [
        `${m}/channel/published-stdio.test.ts`,
        "a command that nobody has allowed is refused at publish, with the name that was meant",
      ],
      [
        `${m}/channel/stdio-upstream.test.ts`,
        "gets the environment that was said, secrets in place, and nothing of the gateway's; no shell reads its arguments",
      ],
      [`${m}/channel/stdio-upstream.test.ts`, "is left alone for longer each time that it ends at once"],
    ],
  },
  {
    number: 27,
    behaviour: "Limits count by key, tool and server, by what a message costs, over all gateways",
    tests: [
      [`${m}/batch-limits.test.ts`, "a limit is each key's own, at each tool and each server"],
      [`${m}/quota.test.ts`, "a quota counts messages by what they cost, and refuses with the id of the request"],
      [
        "test/store/redis/redis-connection.test.ts",
        "refuses at once while Redis is gone, and is back by itself with one line in the log for each",
      ],
    ],
  },
  {
    number: 28,
    behaviour: "One dead server keeps nobody else's tools back",
    tests: [
      [`${m}/virtual/dead-member.test.ts`, "lists what the others have, and says whose part is missing"],
      [
        "test/mcp/federation/member-lists.test.ts",
        "a server that does not answer in time keeps nobody else's entries back",
      ],
    ],
  },
  {
    number: 29,
    behaviour: "What was kept for one caller is shown to no other",
    tests: [
      [
        `${m}/narrow-list.test.ts`,
        "a task for a virtual server is not one for those that it is made of, whose lists are shared by all its tasks",
      ],
      [
        "test/mcp/federation/member-lists.test.ts",
        "a list is its caller's own, and one caller has nobody else's read again",
      ],
      ["test/mcp/federation/member-lists.test.ts", "what another caller was shown last is shown to nobody"],
      [`${m}/authorization.test.ts`, "show what may be used, as a whole answer and in a stream"],
    ],
  },
  {
    number: 30,
    behaviour: "Decisions are recorded with their rule, and the audit shows what was changed in it",
    tests: [
      [`${m}/authorization.test.ts`, "the row says which rule refused it, and at which stage"],
      ["test/core/verify-audit.test.ts", "a change of any byte of any column of any row shows"],
    ],
  },
  {
    number: 31,
    behaviour: "The control plane has its own port and door, no password from the start, and secrets that are sealed",
    tests: [
      ["test/control/control-app.test.ts", "only these routes are public"],
      ["test/control/session-routes.test.ts", "a cookie changes nothing for $name"],
      ["test/control/caller.test.ts", "an empty hash opens to nobody"],
      ["test/e2e/secret-places.test.ts", "no file holds one: the database, its log, its backup, the spool"],
    ],
  },
  {
    number: 32,
    behaviour: "Texts of servers stand in no page and no log line but as texts",
    tests: [
      [`${m}/events.test.ts`, "of a tool with a line break in its name: one line in the spool and in the log"],
      [
        `${m}/credentials/consent.test.ts`,
        "says who, where, for whom and what, escaped, in no frame, and cannot be posted from elsewhere",
      ],
      [
        "test/identity/resident/mcp-client.test.ts",
        "the person is told who asks, for what, and where the answer goes, all of it escaped",
      ],
    ],
  },
];
