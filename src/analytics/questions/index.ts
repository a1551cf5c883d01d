import { audience } from "./audience.ts";
import { cacheSavings } from "./cache-savings.ts";
import { clients } from "./clients.ts";
import type { Question } from "./define-question.ts";
import { errorKinds } from "./error-kinds.ts";
import { governanceTrend } from "./governance-trend.ts";
import { guardrailHits } from "./guardrail-hits.ts";
import { heatMap } from "./heat-map.ts";
import { latencySteps } from "./latency-steps.ts";
import { providers } from "./providers.ts";
import { routingShares } from "./routing-shares.ts";
import { servers } from "./servers.ts";
import { sessionTimeline } from "./session-timeline.ts";
import { sessions } from "./sessions.ts";
import { spendForecast } from "./spend-forecast.ts";
import { toolFilterSavings } from "./tool-filter-savings.ts";
import { topConsumers } from "./top-consumers.ts";
import { unused } from "./unused.ts";

/** Every question that is defined in a file of its own, in the order of their ids. */
export const questions: readonly Question[] = [
  audience,
  cacheSavings,
  clients,
  errorKinds,
  governanceTrend,
  guardrailHits,
  heatMap,
  latencySteps,
  providers,
  routingShares,
  servers,
  sessionTimeline,
  sessions,
  spendForecast,
  toolFilterSavings,
  topConsumers,
  unused,
];
