import type { Socket } from "node:net";
import { connect } from "node:net";

/** What one answer was. */
export interface Answered {
  readonly status: number;
  /** Milliseconds from the request's write to the first byte of the body. */
  readonly firstByteMs: number;
  /** Milliseconds from the request's write to the last byte. */
  readonly wholeMs: number;
}

/** A kept-alive connection that sends the same bytes again and again. */
export interface HttpConnection {
  exchange(): Promise<Answered>;
  close(): void;
}

/** The request's bytes as they go on the wire. */
export function requestBytes(url: URL, headers: Readonly<Record<string, string>>, body: string): Buffer {
  const lines = Object.entries({ ...headers, "content-length": String(Buffer.byteLength(body)) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`POST ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n${head}\r\n${body}`);
}

/**
 * Opens one. A client on a bare socket costs a fraction of one with an HTTP parser, so that what is measured is the
 * other side. Reads answers with a content-length and chunked ones.
 */
export async function openHttpConnection(url: URL, bytes: Buffer): Promise<HttpConnection> {
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return {
    exchange: () => exchange(socket, bytes),
    close: () => socket.destroy(),
  };
}

function exchange(socket: Socket, bytes: Buffer): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    let head: Head | undefined;
    let seen: Buffer | undefined;
    let firstByteMs = 0;
    const settle = (done: () => void): void => {
      socket.off("data", onData);
      socket.off("close", onClose);
      socket.off("error", onClose);
      done();
    };
    const onClose = (): void => settle(() => reject(new Error("the connection was closed before the answer ended")));
    const onData = (chunk: Buffer): void => {
      seen = seen === undefined ? chunk : Buffer.concat([seen, chunk]);
      head ??= readHead(seen);
      if (head === undefined) return;
      if (firstByteMs === 0 && seen.length > head.bytes) firstByteMs = performance.now() - startedMs;
      if (!isWhole(seen, head)) return;
      const { status } = head;
      const wholeMs = performance.now() - startedMs;
      settle(() => resolve({ status, firstByteMs: firstByteMs === 0 ? wholeMs : firstByteMs, wholeMs }));
    };
    socket.on("data", onData);
    socket.on("close", onClose);
    socket.on("error", onClose);
    socket.write(bytes);
  });
}

interface Head {
  readonly status: number;
  /** Bytes of the head itself. */
  readonly bytes: number;
  /** Undefined when the body is chunked. */
  readonly length: number | undefined;
}

function readHead(seen: Buffer): Head | undefined {
  const end = seen.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const text = seen.toString("latin1", 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  return {
    status: Number(text.slice(9, 12)),
    bytes: end + 4,
    length: length === undefined ? undefined : Number(length),
  };
}

// The mock's texts hold no "0\r\n\r\n", so the last chunk is known by its bytes.
function isWhole(seen: Buffer, { bytes, length }: Head): boolean {
  if (length !== undefined) return seen.length >= bytes + length;
  return seen.length >= bytes + 5 && seen.toString("latin1", seen.length - 5) === "0\r\n\r\n";
}
