import type { AnalyticsReader, AnalyticsStatusReader } from "../analytics/analytics-reader.ts";
import type { OpenAnalyticsTools } from "../analytics/analytics-tools.ts";
import type { CoreContext } from "../core/core-context.ts";
import type { SsoClient } from "../identity/sso/sso-client.ts";
import type { CidrSet } from "../kernel/cidr-set.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";

/** What the control plane's HTTP app is made of; the composition root fills it in. */
export interface ControlOptions {
  readonly context: CoreContext;
  /** SHA-256 of the admin token, 32 bytes. The token itself is not kept. */
  readonly adminTokenHash: Buffer;
  /**
   * Hosts by which this port may be reached, beside that of `controlUrl`: `gw.example.com`, `[::1]`, `localhost:9090`.
   * Without a port an entry allows a Host header with any. It allows an Origin only with the port it names, or the
   * scheme's own.
   */
  readonly allowedHosts: readonly string[];
  /** Where clients reach the gateway: the base of the URLs that a deployed API shows. */
  readonly gatewayUrl: string;
  /** Where clients reach this port. */
  readonly controlUrl: string;
  /** Whether `/readyz` answers 200. */
  readonly ready: () => boolean;
  readonly version: string;
  /** Proxies whose `X-Forwarded-For` is believed; none when absent. */
  readonly trustedProxies?: CidrSet | undefined;
  /** Paths beside the declared ones and where they lead; checked by `extraPathIssue`. None when absent. */
  readonly extraPaths?: Readonly<Record<string, string>>;
  /** Signs people in with key managers; nobody can where it is absent. */
  readonly sso?: SsoClient | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Kinds of API that the gateway of this installation really serves. */
  readonly servedKinds: readonly string[];
  /** Answers questions about recorded traffic; where it is absent they are answered by 501. */
  readonly analytics?: (AnalyticsReader & AnalyticsStatusReader) | undefined;
  /** What else is done with recorded traffic; answered by 501 where it is absent. */
  readonly analyticsTools?: OpenAnalyticsTools | undefined;
  /** The largest request body, in bytes read. 10 MiB when absent. */
  readonly maxBodyBytes?: number;
  /** Levels of nesting of a request body. 128 when absent. */
  readonly maxBodyDepth?: number;
}
