import { resourceKinds } from "../core/kinds.ts";
import { accessTokenRoutes } from "./access-token-routes.ts";
import { alertRoutes } from "./alert-routes.ts";
import { allOauthClientRoutes } from "./all-oauth-client-routes.ts";
import { analyticsExportRoute } from "./analytics-export-route.ts";
import { analyticsPruneRoute } from "./analytics-prune-route.ts";
import { analyticsRoutes } from "./analytics-routes.ts";
import { analyticsSqlRoutes } from "./analytics-sql-routes.ts";
import { analyticsTailRoute } from "./analytics-tail-route.ts";
import { apiKeyRoutes } from "./api-key-routes.ts";
import { applyRoutes } from "./apply-routes.ts";
import { approvalRoutes } from "./approval-routes.ts";
import { auditRoutes } from "./audit-routes.ts";
import { budgetRoutes } from "./budget-routes.ts";
import { captureRoute } from "./capture-route.ts";
import type { ControlRoute } from "./control-route.ts";
import { documentationRoutes } from "./documentation-routes.ts";
import { encryptionRoutes } from "./encryption-routes.ts";
import { explainRoute } from "./explain-route.ts";
import { forgetUsesRoute } from "./forget-uses-route.ts";
import { gatewayFeedRoutes } from "./gateway-feed-routes.ts";
import { gatewayTokenRoutes } from "./gateway-token-routes.ts";
import { governanceEvaluateRoute } from "./governance-evaluate-route.ts";
import { governanceRoutes } from "./governance-routes.ts";
import { keyManagerRoutes } from "./key-manager-routes.ts";
import { mcpClientConfigRoutes } from "./mcp-client-config-routes.ts";
import { mcpInspectionRoutes } from "./mcp-inspection-routes.ts";
import { mcpPinRoutes } from "./mcp-pin-routes.ts";
import { oauthClientRoutes } from "./oauth-client-routes.ts";
import { probeRoutes } from "./probe-routes.ts";
import { publishingRoutes } from "./publishing-routes.ts";
import { purgeAnswersRoute } from "./purge-answers-route.ts";
import { questionRoutes } from "./question-routes.ts";
import { resourceRoutes } from "./resource-routes.ts";
import { routeTestRoutes } from "./route-test-routes.ts";
import { secretRoutes } from "./secret-routes.ts";
import { sessionRoutes } from "./session-routes.ts";
import { signInRoutes } from "./sign-in-routes.ts";
import { ssoRoutes } from "./sso-routes.ts";
import { statusRoutes } from "./status-routes.ts";
import { toolFilterTestRoutes } from "./tool-filter-test-routes.ts";
import { upstreamCredentialRoutes } from "./upstream-credential-routes.ts";
import { upstreamTokenRoutes } from "./upstream-token-routes.ts";
import { userRoutes } from "./user-routes.ts";

/** The route table: all that the control port answers, and who may ask for it. */
export function routes(): readonly ControlRoute[] {
  return [
    ...probeRoutes(),
    ...documentationRoutes(routes),
    ...statusRoutes(),
    ...resourceKinds.flatMap(resourceRoutes),
    ...resourceKinds.filter((kind) => kind.live === "revision").flatMap(publishingRoutes),
    ...apiKeyRoutes(),
    ...budgetRoutes(),
    ...mcpInspectionRoutes(),
    ...routeTestRoutes(),
    ...toolFilterTestRoutes(),
    forgetUsesRoute(),
    purgeAnswersRoute(),
    ...mcpPinRoutes(),
    ...mcpClientConfigRoutes(),
    ...approvalRoutes(),
    ...alertRoutes(),
    ...governanceRoutes(),
    governanceEvaluateRoute(),
    ...keyManagerRoutes(),
    ...oauthClientRoutes(),
    ...allOauthClientRoutes(),
    ...sessionRoutes(),
    ...ssoRoutes(),
    ...signInRoutes(),
    ...accessTokenRoutes(),
    ...upstreamCredentialRoutes(),
    ...userRoutes(),
    ...secretRoutes(),
    ...encryptionRoutes(),
    ...applyRoutes(),
    ...auditRoutes(),
    ...gatewayTokenRoutes(),
    ...gatewayFeedRoutes(),
    ...upstreamTokenRoutes(),
    ...analyticsRoutes(),
    ...questionRoutes(),
    analyticsPruneRoute(),
    ...analyticsSqlRoutes(),
    analyticsTailRoute(),
    analyticsExportRoute(),
    explainRoute(),
    captureRoute(),
  ];
}
