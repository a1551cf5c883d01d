import { createHmac, hash } from "node:crypto";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface AwsRequest {
  readonly method: string;
  readonly host: string;
  /** As it stands in the request line, with the query. Segments are percent-encoded once. */
  readonly path: string;
  /** Lower-case names; all of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface AwsScope {
  readonly region: string;
  readonly service: string;
  readonly nowMs: number;
}

/**
 * The headers that sign a request: `authorization`, `x-amz-date` and, where there is one, `x-amz-security-token`.
 * Signature version 4.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function signAwsRequest(
  request: AwsRequest,
  credentials: AwsCredentials,
  { region, service, nowMs }: AwsScope,
): Readonly<Record<string, string>> {
  const time = `${new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, "")}`;
  const day = time.slice(0, 8);
  const { sessionToken } = credentials;
  const own = { "x-amz-date": time, ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }) };
  const signed = Object.entries({ ...request.headers, host: request.host, ...own })
    .map(([name, value]) => [name, value.trim().replaceAll(/ +/g, " ")] as const)
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
  const names = signed.map(([name]) => name).join(";");
  const [path = "/", query = ""] = request.path.split("?", 2);
  const canonical = [
    request.method,
    path.split("/").map(encodeSegment).join("/"),
    query.split("&").toSorted().join("&"),
    ...signed.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    hash("sha256", request.body, "hex"),
  ].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, scope, hash("sha256", canonical, "hex")].join("\n");
  const key = [day, region, service, "aws4_request"].reduce<Buffer | string>(
    (last, part) => createHmac("sha256", last).update(part).digest(),
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = createHmac("sha256", key).update(text).digest("hex");
  const credential = `Credential=${credentials.accessKeyId}/${scope}`;
  return { ...own, authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}` };
}

// All services but S3 sign the path encoded once more than it is sent.
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
