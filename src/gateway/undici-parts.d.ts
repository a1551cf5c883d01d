// The parts of undici that we use, by the files they stand in: its index loads fetch, WebSocket and caches as well, some
// 13 MB that a gateway has no use for. The types are the package's own.

declare module "undici/lib/dispatcher/pool.js" {
  export { Pool as default } from "undici";
}

declare module "undici/lib/core/errors.js" {
  import { errors } from "undici";
  export default errors;
}
