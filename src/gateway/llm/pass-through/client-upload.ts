import { Readable } from "node:stream";
import type { Cancellation } from "../../../kernel/cancellation.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { ClientRequest } from "../../../pipeline/adapter.ts";
import type { FoundModel, MultipartScan } from "./multipart-scan.ts";

export interface ClientUploadOptions {
  readonly limitBytes: number;
  readonly cancellation: Cancellation;
  /** Reads along; absent where nothing of the body has to be known. */
  readonly scan?: MultipartScan | undefined;
  /** Hears how many bytes have come. */
  heard(bytes: number): void;
}

/** So much is read, and held, to learn the model before anything is sent. */
export const headBytes = 1_048_576;

/** A body on its way from the client to the upstream: it goes on as it comes, and what the upstream does not take waits. */
export class ClientUpload {
  readonly #pieces: ClientPieces;
  readonly #options: ClientUploadOptions;
  #head: Buffer[] = [];
  #headBytes = 0;
  #bytes = 0;
  #announced: number | undefined;

  constructor(request: ClientRequest, options: ClientUploadOptions) {
    this.#pieces = new ClientPieces(request, options.cancellation);
    this.#options = options;
    const length = request.headers["content-length"];
    this.#announced = length === undefined ? undefined : Number(length);
  }

  /** Reads until the model is known, the bound is reached or the body has ended. Throws `request.…` for what is wrong. */
  async readHead(): Promise<FoundModel | undefined> {
    const { scan } = this.#options;
    while (scan !== undefined && scan.model === undefined && this.#headBytes < headBytes) {
      const piece = await this.#next();
      if (piece === undefined) break;
      this.#head.push(piece);
      this.#headBytes += piece.length;
    }
    return scan?.model;
  }

  /**
   * The body for one try, with another model's name in the place of the client's. It can be asked for again until the
   * first byte of one was read, of which `begun` hears.
   */
  open(model: string | undefined, begun: () => void): { readonly body: Readable; readonly bytes: number | undefined } {
    const found = this.#options.scan?.model;
    const isRenamed = model !== undefined && found !== undefined && model !== found.value;
    const change = isRenamed ? Buffer.byteLength(model) - (found.end - found.start) : 0;
    const head = Buffer.concat(this.#head);
    const first = isRenamed
      ? Buffer.concat([head.subarray(0, found.start), Buffer.from(model), head.subarray(found.end)])
      : head;
    const bytes = this.#announced === undefined ? undefined : this.#announced + change;
    return { body: Readable.from(this.#flow(first, begun), { objectMode: false }), bytes };
  }

  /** Leaves the rest of the body to whoever drops it. */
  letGo(): void {
    this.#pieces.letGo();
  }

  async *#flow(first: Buffer, begun: () => void): AsyncGenerator<Buffer> {
    begun();
    this.#head = [];
    if (first.length > 0) yield first;
    for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) yield piece;
  }

  async #next(): Promise<Buffer | undefined> {
    const { limitBytes, scan, heard } = this.#options;
    const piece = await this.#pieces.next();
    if (piece === undefined) {
      scan?.end();
      return undefined;
    }
    this.#bytes += piece.length;
    heard(this.#bytes);
    if (this.#bytes > limitBytes)
      throw new GatewayError("request.too_large", `The upload is larger than ${limitBytes} bytes.`);
    scan?.push(piece);
    return piece;
  }
}

/** A request's body piece by piece; between two of them the client is held back. */
class ClientPieces {
  readonly #request: ClientRequest;
  readonly #cancellation: Cancellation;
  readonly #waiting: Buffer[] = [];
  #state: "open" | "ended" | "failed";
  #wake: (() => void) | undefined;

  constructor(request: ClientRequest, cancellation: Cancellation) {
    this.#request = request;
    this.#cancellation = cancellation;
    // Who left before has had all events of the request; none would come any more.
    this.#state = request.destroyed && !request.complete ? "failed" : "open";
    request.pause();
    request.on("data", this.#onData);
    request.on("end", this.#onEnd);
    request.on("error", this.#onFailure);
    request.on("close", this.#onFailure);
    cancellation.listen(this);
  }

  onCancel(): void {
    this.#onFailure();
  }

  async next(): Promise<Buffer | undefined> {
    for (;;) {
      if (this.#cancellation.isCancelled) throw this.#cancellation.reason;
      const piece = this.#waiting.shift();
      if (piece !== undefined) return piece;
      if (this.#state === "ended") return undefined;
      if (this.#state === "failed") throw new GatewayError("client.closed", "The client went away.");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#request.resume();
      });
    }
  }

  letGo(): void {
    this.#cancellation.ignore(this);
    this.#request.off("data", this.#onData);
    this.#request.off("end", this.#onEnd);
    this.#request.off("error", this.#onFailure);
    this.#request.off("close", this.#onFailure);
    this.#waiting.length = 0;
  }

  readonly #onData = (piece: Buffer): void => {
    this.#request.pause();
    this.#waiting.push(piece);
    this.#wakeReader();
  };

  readonly #onEnd = (): void => {
    this.#state = "ended";
    this.#wakeReader();
  };

  readonly #onFailure = (): void => {
    if (this.#state === "open") this.#state = "failed";
    this.#wakeReader();
  };

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
