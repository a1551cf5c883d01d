/**
 * A structured logger, as pino has it: fields first, then a constant sentence. Never a body, key, token or prompt.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
