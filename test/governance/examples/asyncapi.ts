const customerId = { type: "string", description: "Who has ordered.", maxLength: 20 };
const placedAt = { type: "string", description: "When.", format: "date-time" };
const payload = { type: "object", properties: { customerId, placedAt } };
const placed = {
  name: "OrderPlaced",
  summary: "Sent when a customer has ordered.",
  contentType: "application/json",
  correlationId: { location: "$message.header#/correlationId" },
  payload,
  examples: [{ payload: { customerId: "c-17", placedAt: "2026-11-23T12:00:00Z" } }],
};
const parameters = { customerId: { description: "Who has ordered." } };
const channel = {
  address: "orders/{customerId}/placed",
  description: "What has been ordered.",
  parameters,
  messages: { placed },
};
const server = { host: "broker.example.com", protocol: "mqtts", description: "production", security: [{ people: [] }] };

/** A description that keeps to every guideline. */
export const goodAsyncApi = {
  asyncapi: "3.0.0",
  info: { title: "Orders", version: "1.4.0" },
  servers: { production: server, local: { ...server, host: "localhost:1883", protocol: "mqtt" } },
  channels: { placed: channel },
  operations: {
    tellPlaced: { action: "send", channel: { $ref: "#/channels/placed" }, summary: "The shop tells of an order." },
  },
};

/** The same in AsyncAPI 2, but for what is said of its age. */
export const olderAsyncApi = {
  asyncapi: "2.6.0",
  info: { title: "Orders", version: "1.4.0" },
  defaultContentType: "application/json",
  channels: {
    "orders/{customerId}/placed": {
      description: channel.description,
      parameters,
      subscribe: { summary: "The shop tells of an order.", message: { oneOf: [placed] } },
    },
  },
};

const { summary: _summary, ...unexplained } = placed;
const { payload: _payload, ...empty } = placed;
const { examples: _examples, ...abstract } = placed;
const { correlationId: _correlation, ...loose } = placed;
const { contentType: _contentType, ...untyped } = placed;
const { name: _name, ...nameless } = placed;
const { security: _security, ...open } = server;
const served = (change: object) => ({ ...goodAsyncApi, servers: { production: { ...server, ...change } } });
const through = (change: object) => ({ ...goodAsyncApi, channels: { placed: { ...channel, ...change } } });
const sent = (message: object) => through({ messages: { placed: message } });
const made = (properties: object) => sent({ ...placed, payload: { type: "object", properties } });

/** For each rule of `gatehouse:asyncapi` a description that breaks it. */
export const brokenAsyncApis: Readonly<Record<string, object>> = {
  "async-servers-tls": served({ protocol: "mqtt" }),
  "async-servers-secured": { ...goodAsyncApi, servers: { production: open } },
  "async-servers-described": served({ description: "" }),
  "async-address-plain": through({ address: "Orders Placed" }),
  "async-address-no-trailing-slash": through({ address: "orders/" }),
  "async-address-no-wildcard": through({ address: "orders/#" }),
  "async-channel-described": through({ description: "" }),
  "async-parameter-described": through({ parameters: { customerId: {} } }),
  "async-operation-summary": {
    ...goodAsyncApi,
    operations: { tellPlaced: { action: "send", channel: { $ref: "#/channels/placed" } } },
  },
  "async-version-current": olderAsyncApi,
  "async-version-numbered": { ...goodAsyncApi, info: { title: "Orders", version: "latest" } },
  "async-message-named": sent(nameless),
  "async-message-described": sent(unexplained),
  "async-message-payload": sent(empty),
  "async-message-content-type": sent(untyped),
  "async-message-correlated": sent(loose),
  "async-message-example": sent(abstract),
  "async-payload-described": made({ customerId: { type: "string", maxLength: 20 } }),
  "async-payload-typed": made({ customerId: { description: "Who has ordered." } }),
  "async-payload-bounded": made({ customerId: { type: "string", description: "Who has ordered." } }),
  "async-property-names": made({ "customer id": customerId }),
  "async-moments-formatted": made({ placedAt: { type: "string", description: "When.", maxLength: 20 } }),
  "async-no-secrets": sent({ ...placed, examples: [{ payload: { customerId: `AKIA${"QWERTYUIOPASDFGH"}` } }] }),
};

const [at] = Object.entries(olderAsyncApi.channels);

/** Descriptions in AsyncAPI 2, each with the rule that it breaks beside that of its age. */
export const brokenOlderAsyncApis: Readonly<Record<string, object>> = {
  "async-address-plain": { ...olderAsyncApi, channels: { "Orders Placed": at?.[1] } },
  "async-operation-summary": { ...olderAsyncApi, channels: { orders: { ...at?.[1], subscribe: { message: placed } } } },
  "async-message-payload": {
    ...olderAsyncApi,
    channels: { orders: { ...at?.[1], subscribe: { ...at?.[1].subscribe, message: { oneOf: [empty] } } } },
  },
  "async-payload-typed": {
    ...olderAsyncApi,
    channels: {
      orders: {
        ...at?.[1],
        publish: {
          summary: "Orders.",
          message: { ...placed, payload: { properties: { it: { description: "It." } } } },
        },
      },
    },
  },
};
