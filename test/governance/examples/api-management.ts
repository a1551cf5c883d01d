const definition = {
  openapi: "3.1.0",
  info: { title: "Orders", version: "1.4.0", description: "Orders of the shop." },
  paths: {},
};

/** An API that keeps to every guideline. */
export const goodManagedApi = {
  apiVersion: "gatehouse/v1",
  kind: "RestApi",
  metadata: {
    name: "orders",
    labels: {
      "business-owner": "Ada",
      "business-owner-email": "ada@example.com",
      "technical-owner": "Grace",
      "technical-owner-email": "grace@example.com",
    },
  },
  spec: {
    displayName: "Orders",
    description: "Orders of the shop, to be read and changed.",
    version: "1.4",
    context: "/orders",
    security: { keyless: false, apiKey: {} },
    definition,
    upstream: { production: { url: "https://orders.example.com" }, sandbox: { url: "http://127.0.0.1:8080" } },
  },
};

const { version: _version, ...unversioned } = goodManagedApi.spec;
const { context: _context, ...nowhere } = goodManagedApi.spec;
const { displayName: _displayName, ...nameless } = goodManagedApi.spec;
const named = (name: string) => ({ ...goodManagedApi, metadata: { ...goodManagedApi.metadata, name } });
const withSpec = (spec: object) => ({ ...goodManagedApi, spec: { ...goodManagedApi.spec, ...spec } });
const labelled = (labels: object) => ({
  ...goodManagedApi,
  metadata: { name: "orders", labels: { ...goodManagedApi.metadata.labels, ...labels } },
});

/** For each rule of `gatehouse:api-management` an API that breaks it. */
export const unmanagedApis: Readonly<Record<string, object>> = {
  "api-name-no-special-characters": named("orders/shop"),
  "api-name-length": named("o".repeat(51)),
  "api-name-cannot-contain-version": named("orders-v2"),
  "api-display-name": { ...goodManagedApi, spec: nameless },
  "api-context-required": { ...goodManagedApi, spec: nowhere },
  "api-context-lower-case": withSpec({ context: "/Orders" }),
  "api-context-length": withSpec({ context: `/${"o".repeat(100)}` }),
  "api-version-required": { ...goodManagedApi, spec: unversioned },
  "api-version-numbered": withSpec({ version: "latest" }),
  "api-described": withSpec({ description: "" }),
  "api-description-length": withSpec({ description: "Orders." }),
  "api-labels": { ...goodManagedApi, metadata: { name: "orders" } },
  "api-labels-count": labelled(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`label-${at}`, "yes"]))),
  "api-business-owner": labelled({ "business-owner": undefined }),
  "api-business-owner-email": labelled({ "business-owner-email": undefined }),
  "api-business-owner-email-format": labelled({ "business-owner-email": "ada" }),
  "api-technical-owner": labelled({ "technical-owner": undefined }),
  "api-technical-owner-email": labelled({ "technical-owner-email": undefined }),
  "api-technical-owner-email-format": labelled({ "technical-owner-email": "grace@" }),
  "api-security-required": withSpec({ security: { keyless: true, apiKey: false } }),
  "api-upstream-tls": withSpec({ upstream: { production: { url: "http://orders.example.com" } } }),
  "api-definition-described": withSpec({ definition: { ...definition, info: { title: "Orders", version: "1" } } }),
};
