/** A figure of a dashboard, what it is asked by, and where it is counted by hand. */
export interface DashboardFigure {
  readonly id: string;
  readonly figure: string;
  /** `WSO2`: a tile of its dashboards or a kind of error in them (API Manager 4.7). `more`: what its users would expect beyond. */
  readonly of: "WSO2" | "more";
  /** Below `/api/v1/analytics/`. */
  readonly question: string;
  /** Members of its rows that are the figure. */
  readonly members: string;
  /** Files and names of tests, as they are written there. */
  readonly tests: readonly (readonly [file: string, name: string])[];
}

const passed = "test/e2e/dashboard-figures.test.ts";
const rows = "test/store/clickhouse/dashboard-rows.test.ts";
const asked = "test/store/clickhouse/asked-questions.test.ts";

const counts = [passed, "tool calls, unique consumers, unique sessions and the share of errors"] as const;
const byType = [
  passed,
  "errors by type: of the client's message, of the server's answer, of a tool, and of the gateway's own refusals",
] as const;
const byKind = [asked, "errors are told apart by kind; what a client broke off is none"] as const;

/** A kind of error by its name in `error-kinds`. */
function errorKind(kind: string, figure: string, of: DashboardFigure["of"]): DashboardFigure {
  return {
    id: `error-${kind.replaceAll("_", "-")}`,
    figure: `Errors: ${figure}`,
    of,
    question: "error-kinds",
    members: `\`count\` where \`kind\` is \`${kind}\``,
    tests: [byType],
  };
}

/** What a dashboard of MCP traffic shows, by the list of WSO2's own and by what its users would expect beyond it. */
export const dashboardFigures: readonly DashboardFigure[] = [
  { id: "tool-calls", figure: "Tool calls", of: "WSO2", question: "audience", members: "`toolCalls`", tests: [counts] },
  {
    id: "unique-consumers",
    figure: "Unique consumers",
    of: "WSO2",
    question: "audience",
    members: "`consumers`",
    tests: [counts, [asked, "consumers, sessions and clients are counted once each"]],
  },
  {
    id: "error-rate",
    figure: "Error rate",
    of: "WSO2",
    question: "audience",
    members: "`errorShare`",
    tests: [counts],
  },
  {
    id: "unique-sessions",
    figure: "Unique sessions",
    of: "WSO2",
    question: "audience",
    members: "`sessions`",
    tests: [counts, ["test/gateway/mcp/events.test.ts", "of two sessions to which the server gave one id: told apart"]],
  },
  {
    id: "volume",
    figure: "Volume",
    of: "WSO2",
    question: "traffic",
    members: "`requests`, `denied`, `failed` by `at`",
    tests: [[passed, "volume: requests, what was refused and what failed"]],
  },
  {
    id: "latency",
    figure: "Latency",
    of: "WSO2",
    question: "latency-steps",
    members: "`totalP50`, `gatewayP50`, `upstreamP50` … by `at`",
    tests: [
      [rows, "latency over time is told beside the volume, the gateway's part apart"],
      [asked, "latency is split into the gateway's part and the upstream's"],
    ],
  },
  {
    id: "top-tools",
    figure: "Top tools",
    of: "WSO2",
    question: "top-tools",
    members: "`tool`, `calls`, `failed`, `consumers`",
    tests: [[passed, "the most used tools, by calls, failures and consumers"]],
  },
  {
    id: "consumers-over-time",
    figure: "Consumers over time",
    of: "WSO2",
    question: "audience?granularity=hour",
    members: "`consumers` by `at`",
    tests: [
      [passed, "consumers over time: the steps of an hour have what the rows of that hour have"],
      [asked, "consumers, sessions and clients are counted once each"],
    ],
  },
  {
    id: "heat-map",
    figure: "Day and hour",
    of: "WSO2",
    question: "heat-map",
    members: "`requests` by `day` and `hour`",
    tests: [
      [passed, "the heat map has each message in the cell of its day and hour"],
      [asked, "the week is told by day and hour, of the time zone that is asked for"],
    ],
  },
  {
    id: "error-trend",
    figure: "Errors over time",
    of: "WSO2",
    question: "error-kinds?granularity=hour",
    members: "`count` by `at`",
    tests: [[passed, "the trend of errors: the steps have them all"], byKind],
  },
  errorKind("parse", "parse", "WSO2"),
  errorKind("invalid_request", "invalid request", "WSO2"),
  errorKind("method_not_found", "method not found", "WSO2"),
  errorKind("invalid_params", "invalid params", "WSO2"),
  errorKind("internal", "internal", "WSO2"),
  errorKind("server", "server", "WSO2"),
  errorKind("tool_error", "of the tool itself", "more"),
  errorKind("auth", "not let in", "more"),
  errorKind("throttled", "throttled", "more"),
  errorKind("guardrail", "guardrail", "more"),
  errorKind("upstream", "upstream", "more"),
  {
    id: "server-distribution",
    figure: "Servers",
    of: "WSO2",
    question: "servers",
    members: "`requests` by `apiName`, `member`, `serverName` and `serverVersion`",
    tests: [[passed, "the distribution over servers, by what they call themselves"]],
  },
  {
    id: "client-distribution",
    figure: "Clients",
    of: "WSO2",
    question: "clients",
    members: "`requests` by `name`, `version` and `protocolVersion`",
    tests: [[passed, "the distribution over clients, with their versions and protocols"]],
  },
  {
    id: "agent-identity",
    figure: "Who an agent is",
    of: "more",
    question: "top-consumers?by=subject",
    members: "`consumer`, `requests`; by `subject`, `client`, `key` or `application`",
    tests: [
      [passed, "who an agent is: the key and the client's own name"],
      [rows, "an agent is known by its token's subject and by its client"],
    ],
  },
  {
    id: "tool-latency",
    figure: "Percentiles of each tool",
    of: "more",
    question: "top-tools",
    members: "`durationMs`",
    tests: [[rows, "each tool has the percentiles of its own calls"]],
  },
  {
    id: "arguments",
    figure: "Arguments: their names and shape",
    of: "more",
    question: "sql",
    members: "`arg_keys`, `arg_shape_hash` of `exchanges`; never a value",
    tests: [[passed, "the names of arguments and their shape, and no value"]],
  },
  {
    id: "session-cost",
    figure: "Tokens and money of a session",
    of: "more",
    question: "top-consumers?by=label:session",
    members: "`inputTokens`, `outputTokens`, `cost`; where clients name the session in a label",
    tests: [[rows, "a session that names itself by a label has its tokens and its money"]],
  },
  {
    id: "session-timeline",
    figure: "What happened in a session",
    of: "more",
    question: "session-timeline?session=…",
    members: "`ts`, `method`, `name`, `errorCode`, `durationMs`",
    tests: [[passed, "a session has its messages in their order, with what its handshake told"]],
  },
  {
    id: "tool-filter",
    figure: "Tools before and behind the filter",
    of: "more",
    question: "tool-filter-savings",
    members: "`tools`, `toolsKept`, `tokens`, `tokensSaved`, `saved`",
    tests: [
      [asked, "what the filter and the cache save is told in tokens and money, and what only monitors saves nothing"],
      [
        "test/gateway/mcp/narrow-list.test.ts",
        "holds the tools that fit, of all pages, in their order and in one page",
      ],
    ],
  },
  {
    id: "routing",
    figure: "Decisions of routers",
    of: "more",
    question: "routing-shares",
    members: "`strategy`, `route`, `target`, `reason`, `share`",
    tests: [[asked, "routes have their shares of what was routed"]],
  },
  {
    id: "raw-sql",
    figure: "Anything else, by SQL",
    of: "more",
    question: "sql",
    members: "one SELECT of your own",
    tests: [
      [
        "test/e2e/analytics-tools.test.ts",
        "a request is explained, and found by a statement; one that was refused says where",
      ],
    ],
  },
];
