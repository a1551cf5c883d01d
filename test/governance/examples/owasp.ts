const text = { type: "string", maxLength: 40, format: "uuid" };
const count = { type: "integer", format: "int32", minimum: 0, maximum: 100 };
const headers = {
  "RateLimit-Limit": { schema: count },
  "RateLimit-Reset": { schema: count },
  "Retry-After": { schema: count },
};
const content = { "application/json": { schema: { type: "object" } } };
const answer = { description: "So it is.", headers, content };
const responses = { 200: answer, 400: answer, 401: answer, 429: answer, 500: answer };
const id = { name: "orderId", in: "path", required: true, schema: text };
const read = { security: [{ people: ["read"] }], responses };
const write = { security: [{ people: ["write"] }], responses };
const paths = {
  "/orders/{orderId}": { get: { ...read, parameters: [id] }, put: { ...write, parameters: [id] } },
  "/admin/orders": { get: { security: [{ people: ["admin"] }], responses } },
};
const flow = {
  authorizationUrl: "https://sign-in.example.com/authorize",
  tokenUrl: "https://sign-in.example.com/token",
  refreshUrl: "https://sign-in.example.com/token",
  scopes: { read: "Reads.", write: "Writes." },
};
const people = { type: "oauth2", description: "Checked as RFC8725 says.", flows: { authorizationCode: flow } };
const server = { url: "https://shop.example.com", description: "production", "x-internal": false };

/** A description in which nothing of the top ten is to be seen. */
export const goodGuardedApi = {
  openapi: "3.1.0",
  info: { title: "Orders", version: "1.0" },
  servers: [server, { ...server, url: "http://localhost:8080", description: "local" }],
  paths,
  components: {
    securitySchemes: { people },
    schemas: {
      Customer: { type: "object", properties: { password: { ...text, format: "password", writeOnly: true } } },
    },
  },
};

/** The same in OpenAPI 2. */
export const goodGuardedSwagger = {
  swagger: "2.0",
  info: { title: "Orders", version: "1.0" },
  schemes: ["https"],
  paths: {},
};

const { refreshUrl: _refreshUrl, ...lasting } = flow;
const { "Retry-After": _retryAfter, ...impatient } = headers;
const { maxLength: _maxLength, ...endless } = text;
const { format: _format, ...unformed } = text;
const { maximum: _maximum, ...unbounded } = count;
const { format: _int, ...unsized } = count;
const scheme = (other: object) => ({ ...goodGuardedApi, components: { securitySchemes: { other } } });
const flows = (own: object) => scheme({ ...people, flows: own });
const having = (Order: object) => ({ ...goodGuardedApi, components: { schemas: { Order } } });
const older = (Order: object) => ({ ...having(Order), openapi: "3.0.3" });
const reading = (change: object) => ({ ...goodGuardedApi, paths: { "/orders": { get: { ...read, ...change } } } });
const answering = (change: Readonly<Record<string, unknown>>) => reading({ responses: { ...responses, ...change } });
const taking = (parameter: object) => reading({ parameters: [parameter] });

/** For each rule of `gatehouse:owasp` a description that breaks it. */
export const unguardedApis: Readonly<Record<string, object>> = {
  "owasp:api1:2023-no-numeric-ids": taking({ ...id, schema: count }),
  "owasp:api2:2023-no-http-basic": scheme({ type: "http", scheme: "basic" }),
  "owasp:api2:2023-no-api-keys-in-url": scheme({ type: "apiKey", in: "query", name: "key" }),
  "owasp:api2:2023-no-credentials-in-url": taking({ ...id, in: "query", name: "access_token" }),
  "owasp:api2:2023-auth-insecure-schemes": scheme({ type: "http", scheme: "negotiate" }),
  "owasp:api2:2023-jwt-best-practices": scheme({ ...people, description: "Tokens." }),
  "owasp:api2:2023-short-lived-access-tokens": flows({ authorizationCode: lasting }),
  "owasp:api2:2023-write-restricted": { ...goodGuardedApi, paths: { "/orders": { post: { responses } } } },
  "owasp:api2:2023-read-restricted": reading({ security: [] }),
  "owasp-api2-no-given-up-flows": flows({ authorizationCode: flow, implicit: flow }),
  "owasp-api2-sign-in-by-tls": flows({
    authorizationCode: { ...flow, tokenUrl: "http://sign-in.example.com/token" },
  }),
  "owasp:api3:2023-no-additionalProperties": older({ type: "object", additionalProperties: true }),
  "owasp:api3:2023-constrained-additionalProperties": older({ type: "object", additionalProperties: text }),
  "owasp:api3:2023-no-unevaluatedProperties": having({ type: "object", unevaluatedProperties: true }),
  "owasp:api3:2023-constrained-unevaluatedProperties": having({ type: "object", unevaluatedProperties: text }),
  "owasp-api3-passwords-never-answered": having({ type: "object", properties: { password: text } }),
  "owasp:api4:2023-rate-limit": answering({ 200: { ...answer, headers: {} } }),
  "owasp:api4:2023-rate-limit-retry-after": answering({ 429: { ...answer, headers: impatient } }),
  "owasp:api4:2023-rate-limit-responses-429": answering({ 429: undefined }),
  "owasp:api4:2023-array-limit": having({ type: "array", items: text }),
  "owasp:api4:2023-string-limit": having(endless),
  "owasp:api4:2023-string-restricted": having(unformed),
  "owasp:api4:2023-integer-limit": having(unbounded),
  "owasp:api4:2023-integer-limit-legacy": older(unbounded),
  "owasp:api4:2023-integer-format": having(unsized),
  "owasp:api5:2023-admin-security-unique": {
    ...goodGuardedApi,
    paths: { ...paths, "/admin/orders": { get: read } },
  },
  "owasp:api7:2023-concerning-url-parameter": taking({ ...id, in: "query", name: "callback" }),
  "owasp:api8:2023-no-scheme-http": { ...goodGuardedSwagger, schemes: ["http"] },
  "owasp:api8:2023-no-server-http": { ...goodGuardedApi, servers: [{ ...server, url: "http://shop.example.com" }] },
  "owasp:api8:2023-define-error-validation": answering({ 400: undefined }),
  "owasp:api8:2023-define-error-responses-401": answering({ 401: undefined }),
  "owasp:api8:2023-define-error-responses-500": answering({ 500: undefined }),
  "owasp-api8-no-trace": { ...goodGuardedApi, paths: { "/orders": { trace: read } } },
  "owasp:api9:2023-inventory-access": { ...goodGuardedApi, servers: [{ ...server, "x-internal": undefined }] },
  "owasp:api9:2023-inventory-environment": { ...goodGuardedApi, servers: [{ ...server, description: "" }] },
};
