// The parts of undici that we use, by the files they stand in: its index loads fetch, WebSocket and caches as well, some
// 13 MB that a gateway has no use for. The types are the package's own.

declare module "undici/lib/dispatcher/pool.js" {
  export { Pool as default } from "undici";
}

declare module "undici/lib/dispatcher/agent.js" {
  export { Agent as default } from "undici";
}

declare module "undici/lib/api/api-request.js" {
  import type { Dispatcher } from "undici";
  export default function request(
    this: Dispatcher,
    options: Dispatcher.RequestOptions,
  ): Promise<Dispatcher.ResponseData>;
}

declare module "undici/lib/core/errors.js" {
  import { errors } from "undici";
  export default errors;
}
