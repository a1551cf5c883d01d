/** What the middleware of one request share. */
export interface ControlEnv {
  Variables: {
    requestId: string;
    /** Methods of this path, for the `Allow` header of a 405. */
    allow: string;
    /** The code of the error that was answered, for the log. */
    code: string;
  };
}
