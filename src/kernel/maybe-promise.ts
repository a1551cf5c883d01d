/** A value now or later. The request's path awaits only what is really a promise: each needless await costs a turn. */
export type MaybePromise<T> = T | Promise<T>;
