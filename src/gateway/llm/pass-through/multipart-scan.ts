import { GatewayError } from "../../../kernel/errors.ts";

/** The value of the form's `model` and where it stands, in bytes from the body's beginning. */
export interface FoundModel {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

const noBytes = Buffer.alloc(0);
const longestHead = 8_192;
const longestModel = 256;

/**
 * Reads a form (RFC 7578) as it passes, as far as needed to know its `model`; keeps no more than a line of it. Strict, for
 * whoever reads it next must find the same: whatever two readers may take for two things throws `request.invalid`, be it
 * a bare line feed before a boundary, a name in another spelling or a second model.
 */
export class MultipartScan {
  readonly #delimiter: Buffer;
  #state: "start" | "delimiter" | "head" | "content" | "over" = "start";
  #rest: Buffer = noBytes;
  /** Of the first byte of `rest`. */
  #at = 0;
  #captured: { readonly start: number; bytes: Buffer } | undefined;
  #model: FoundModel | undefined;

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`--${boundary}`, "latin1");
  }

  get model(): FoundModel | undefined {
    return this.#model;
  }

  push(chunk: Uint8Array): void {
    this.#rest =
      this.#rest.length === 0
        ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
        : Buffer.concat([this.#rest, chunk]);
    while (this.#step()) {
      // each step takes what it has understood off the rest
    }
  }

  /** Call it at the body's end: a form that is not whole is none. */
  end(): void {
    if (this.#state !== "over") throw malformed("it ends before its last boundary");
  }

  #step(): boolean {
    switch (this.#state) {
      case "start":
        return this.#begin();
      case "delimiter":
        return this.#afterDelimiter();
      case "head":
        return this.#readHead();
      case "content":
        return this.#readContent();
      case "over":
        if (/[^\r\n]/.test(this.#take(this.#rest.length).toString("latin1")))
          throw malformed("something stands behind its last boundary");
        return false;
    }
  }

  #begin(): boolean {
    const { length } = this.#delimiter;
    if (this.#rest.length < length) return false;
    if (!this.#take(length).equals(this.#delimiter)) throw malformed("it does not begin with its boundary");
    this.#state = "delimiter";
    return true;
  }

  #afterDelimiter(): boolean {
    if (this.#rest.length < 2) return false;
    const next = this.#take(2).toString("latin1");
    if (next !== "--" && next !== "\r\n") throw malformed("a boundary does not end its line");
    this.#state = next === "--" ? "over" : "head";
    return true;
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf("\r\n\r\n");
    if (end < 0 ? this.#rest.length > longestHead : end > longestHead)
      throw malformed("the head of a part is too long");
    if (end < 0) return false;
    const isModel = namesModel(
      this.#take(end + 4)
        .subarray(0, end)
        .toString("latin1"),
    );
    if (isModel && this.#model !== undefined) throw wrongModel("stands in the form twice");
    this.#captured = isModel ? { start: this.#at, bytes: noBytes } : undefined;
    this.#state = "content";
    return true;
  }

  #readContent(): boolean {
    const found = this.#rest.indexOf(this.#delimiter);
    if (found >= 0) {
      if (found < 2 || this.#rest[found - 2] !== 0x0d || this.#rest[found - 1] !== 0x0a)
        throw malformed("a boundary does not begin its line");
      this.#capture(this.#take(found - 2));
      if (this.#captured !== undefined) this.#model = toModel(this.#captured);
      this.#captured = undefined;
      this.#take(2 + this.#delimiter.length);
      this.#state = "delimiter";
      return true;
    }
    // What stays may be the beginning of a boundary, with the line's end before it.
    const passed = this.#rest.length - this.#delimiter.length - 1;
    if (passed > 0) this.#capture(this.#take(passed));
    return false;
  }

  #capture(bytes: Buffer): void {
    if (this.#captured === undefined) return;
    if (this.#captured.bytes.length + bytes.length > longestModel) throw wrongModel("is too long");
    this.#captured.bytes = Buffer.concat([this.#captured.bytes, bytes]);
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    this.#at += length;
    return taken;
  }
}

/** The boundary that a `content-type` names; undefined for what is no form, or a boundary that not everybody reads alike. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const [, quoted, bare] = formType.exec(contentType ?? "") ?? [];
  return quoted ?? bare;
}

// RFC 2046, 5.1.1, without the space; no parameter beside, which might be a second boundary.
const formType =
  /^multipart\/form-data[ \t]*;[ \t]*boundary=(?:"([0-9A-Za-z'()+_,./:=?-]{1,70})"|([0-9A-Za-z'+_.-]{1,70}))[ \t]*$/i;

const disposition =
  /^content-disposition:[ \t]*form-data[ \t]*;[ \t]*name="([A-Za-z0-9_.[\]-]{1,128})"((?:[ \t]*;[ \t]*filename\*?=(?:"[^"\\]*"|[^\s";\\]+))*)[ \t]*$/i;

/** Whether a part is the form's model, by its head. */
function namesModel(head: string): boolean {
  const lines = head.split("\r\n");
  const named = lines.filter((line) => /^content-disposition/i.test(line));
  const [, name, file = ""] = disposition.exec(named[0] ?? "") ?? [];
  const isPlain = lines.every((line) => /^[A-Za-z-]+:[^\r\n\0]*$/.test(line));
  if (name === undefined || named.length !== 1 || !isPlain) throw malformed("a part does not say its name plainly");
  if (!/^model(\[|\.|$)/i.test(name)) return false;
  if (name !== "model" || file !== "" || lines.some((line) => /^content-transfer-encoding/i.test(line)))
    throw wrongModel("must be a plain field of that name");
  return true;
}

function toModel({ start, bytes }: { readonly start: number; readonly bytes: Buffer }): FoundModel {
  const value = bytes.toString("latin1");
  if (!/^[\x21-\x7e]+$/.test(value)) throw wrongModel("must be a model's name");
  return { value, start, end: start + bytes.length };
}

function malformed(why: string): GatewayError {
  return new GatewayError("request.invalid", `The form cannot be read: ${why}.`);
}

function wrongModel(why: string): GatewayError {
  return new GatewayError("request.invalid", `\`model\` ${why}.`, { param: "model" });
}
