import type { PolicyPlugin } from "../pipeline/define-policy.ts";
import { apiKey } from "./api-key/api-key.ts";
import { concurrencyLimit } from "./concurrency-limit.ts";
import { costBudget } from "./cost-budget.ts";
import { hold } from "./hold/hold.ts";
import { ipFilter } from "./ip-filter.ts";
import { modelAccess } from "./model-access.ts";
import { oauth } from "./oauth.ts";
import { parameterAccess } from "./parameter-access.ts";
import { promptDecorator } from "./prompt-decorator.ts";
import { quota } from "./quota.ts";
import { rateLimit } from "./rate-limit.ts";
import { semanticCache } from "./semantic-cache/semantic-cache.ts";
import { semanticToolFilter } from "./semantic-tool-filter/semantic-tool-filter.ts";
import { tokenLimit } from "./token-limit.ts";

/** All policies of this build. */
export const policies: readonly PolicyPlugin[] = [
  apiKey,
  concurrencyLimit,
  costBudget,
  hold,
  ipFilter,
  modelAccess,
  oauth,
  parameterAccess,
  promptDecorator,
  quota,
  rateLimit,
  semanticCache,
  semanticToolFilter,
  tokenLimit,
];
