const name = { type: "string", maxLength: 100 };
const problem = { description: "Refused.", content: { "application/problem+json": { schema: { type: "object" } } } };
const order = { type: "object", properties: { customerId: name, createdAt: { type: "string", format: "date-time" } } };
const orders = { type: "object", properties: { items: { type: "array", items: order } } };
const answering = (schema: object) => ({ description: "Done.", content: { "application/json": { schema } } });
const limit = { name: "limit", in: "query", description: "Orders of a page.", schema: { type: "integer" } };
const list = {
  operationId: "listOrders",
  summary: "Lists orders.",
  parameters: [limit],
  responses: { 200: answering(orders), 400: problem },
};
const create = {
  operationId: "createOrder",
  summary: "Orders something.",
  requestBody: { content: { "application/json": { schema: order } } },
  responses: {
    201: { ...answering(order), headers: { Location: { description: "Where it is.", schema: name } } },
    400: problem,
  },
};
const remove = {
  operationId: "deleteOrder",
  summary: "Takes an order back.",
  deprecated: true,
  description: "Until 2027: set its state instead.",
  responses: { 204: { description: "Gone." }, 404: problem },
};
const paths = { "/orders": { get: list, post: create }, "/order-lines/{lineId}:undo": { delete: remove } };

/** A description that keeps to every rule of design. */
export const goodRestApi = {
  openapi: "3.1.0",
  info: { title: "Orders", version: "1.4.0" },
  servers: [{ url: "https://shop.example.com" }, { url: "http://localhost:8080" }, { url: "/v1" }],
  paths,
};

/** The same in OpenAPI 2. */
export const goodSwagger = {
  swagger: "2.0",
  info: { title: "Orders", version: "1.4.0" },
  schemes: ["https"],
  paths: {
    "/orders": {
      get: {
        operationId: "listOrders",
        summary: "Lists orders.",
        parameters: [{ name: "limit", in: "query", description: "Orders of a page.", type: "integer" }],
        responses: { 200: { description: "Orders.", schema: orders }, default: { description: "Refused." } },
      },
    },
  },
};

const { default: _default, ...bare } = goodSwagger.paths["/orders"].get.responses;
const at = (address: string) => ({ ...goodRestApi, paths: { ...paths, [address]: { get: list } } });
const listed = (change: object) => ({ ...goodRestApi, paths: { "/orders": { get: { ...list, ...change } } } });
const created = (change: object) => ({ ...goodRestApi, paths: { "/orders": { post: { ...create, ...change } } } });
const removed = (change: object) => ({ ...goodRestApi, paths: { "/orders": { delete: { ...remove, ...change } } } });
const swagger = (change: object) => ({
  ...goodSwagger,
  paths: { "/orders": { get: { ...goodSwagger.paths["/orders"].get, ...change } } },
});
const having = (properties: object) => ({ ...goodRestApi, components: { schemas: { Order: { properties } } } });
const textual = { description: "Refused.", content: { "text/plain": { schema: name } } };

/** For each rule of `gatehouse:rest` a description that breaks it. */
export const brokenRestApis: Readonly<Record<string, object>> = {
  "rest-paths-kebab-case": at("/orderLines"),
  "rest-paths-no-trailing-slash": at("/orders/"),
  "rest-paths-no-empty-segment": at("/shop//orders"),
  "rest-paths-no-query": at("/orders?open=true"),
  "rest-paths-no-file-extension": at("/orders.json"),
  "rest-paths-name-things": at("/orders/create"),
  "rest-paths-depth": at("/a/b/c/d/e/f/g/h/i"),
  "rest-servers-tls": { ...goodRestApi, servers: [{ url: "http://shop.example.com" }] },
  "rest-schemes-tls": { ...goodSwagger, schemes: ["https", "http"] },
  "rest-version-numbered": { ...goodRestApi, info: { title: "Orders", version: "latest" } },
  "rest-summary": listed({ summary: "" }),
  "rest-summary-short": listed({ summary: `Lists ${"very ".repeat(30)}many orders.` }),
  "rest-operation-id-plain": listed({ operationId: "list all orders" }),
  "rest-get-reads": listed({ operationId: "deleteOrders" }),
  "rest-deprecated-told": removed({ description: undefined }),
  "rest-parameter-described": listed({ parameters: [{ ...limit, description: "" }] }),
  "rest-get-no-body": listed({ requestBody: create.requestBody }),
  "rest-get-no-body-parameter": swagger({
    parameters: [{ name: "limit", in: "body", description: "Which ones.", schema: order }],
  }),
  "rest-delete-no-body": removed({ requestBody: create.requestBody }),
  "rest-body-schema": created({ requestBody: { content: { "application/json": {} } } }),
  "rest-parameter-names": listed({ parameters: [limit, { ...limit, name: "Customer-Id" }] }),
  "rest-headers-own": listed({ parameters: [limit, { ...limit, name: "Authorization", in: "header" }] }),
  "rest-lists-paged": listed({ parameters: [] }),
  "rest-answer-schema": listed({
    responses: { 200: { description: "Orders.", content: { "application/json": {} } }, 400: problem },
  }),
  "rest-answer-object": listed({ responses: { 200: answering({ type: "array", items: order }), 400: problem } }),
  "rest-no-content-empty": removed({ responses: { 204: answering(order), 404: problem } }),
  "rest-created-location": created({ responses: { 201: answering(order), 400: problem } }),
  "rest-errors-told": swagger({ responses: bare }),
  "rest-errors-problem": listed({ responses: { 200: answering(orders), 400: textual } }),
  "rest-property-names": having({ "customer id": name }),
  "rest-moments-formatted": having({ createdAt: { type: "string" } }),
};
