import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface TinyModel {
  /** A row for each word; `[PAD]` and `[UNK]` are made of zeros. */
  readonly words: Readonly<Record<string, readonly number[]>>;
  /** Numbers of a row that the graph states, where they are not what the rows have. */
  readonly wrong?: "cut-short";
}

/**
 * Writes a whole sentence model as a folder: an ONNX graph that looks up a row per token (the mean of which is the
 * library's work), and a word-piece tokenizer of these words.
 */
export function writeTinyModel(folder: string, { words, wrong }: TinyModel): void {
  const names = ["[PAD]", "[UNK]", ...Object.keys(words)];
  const size = Object.values(words)[0]?.length ?? 1;
  const zeros = Array.from({ length: size }, () => 0);
  const rows = [zeros, zeros, ...Object.values(words)];
  mkdirSync(join(folder, "onnx"), { recursive: true });
  const model = onnxModel(rows, size);
  writeFileSync(join(folder, "onnx/model.onnx"), wrong === undefined ? model : model.subarray(0, model.length / 2));
  const json = (name: string, value: object): void => writeFileSync(join(folder, name), JSON.stringify(value));
  json("config.json", {
    model_type: "bert",
    architectures: ["BertModel"],
    hidden_size: size,
    vocab_size: names.length,
  });
  json("tokenizer_config.json", {
    tokenizer_class: "BertTokenizer",
    pad_token: "[PAD]",
    unk_token: "[UNK]",
    model_max_length: 64,
  });
  json("tokenizer.json", {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: ["[PAD]", "[UNK]"].map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: { type: "Lowercase" },
    pre_tokenizer: { type: "Whitespace" },
    post_processor: null,
    decoder: null,
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(names.map((name, id) => [name, id])),
    },
  });
}

// Protocol buffers by hand: https://protobuf.dev/programming-guides/encoding/ and the fields of onnx.proto.

function onnxModel(rows: readonly (readonly number[])[], size: number): Buffer {
  const table = Buffer.from(Float32Array.from(rows.flat()).buffer);
  const initializer = message(
    number(1, rows.length),
    number(1, size),
    number(2, float),
    text(8, "table"),
    bytes(9, table),
  );
  const node = message(text(1, "table"), text(1, "input_ids"), text(2, "last_hidden_state"), text(4, "Gather"));
  const graph = message(
    bytes(1, node),
    text(2, "tiny"),
    bytes(5, initializer),
    bytes(11, value("input_ids", int64, ["batch", "tokens"])),
    bytes(11, value("attention_mask", int64, ["batch", "tokens"])),
    bytes(12, value("last_hidden_state", float, ["batch", "tokens", size])),
  );
  return message(number(1, 8), bytes(7, graph), bytes(8, message(text(1, ""), number(2, 13))));
}

const float = 1;
const int64 = 7;

function value(name: string, type: number, shape: readonly (string | number)[]): Buffer {
  const dimensions = shape.map((each) => bytes(1, typeof each === "string" ? text(2, each) : number(1, each)));
  return message(text(1, name), bytes(2, bytes(1, message(number(1, type), bytes(2, message(...dimensions))))));
}

function message(...fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields);
}

function number(field: number, from: number): Buffer {
  return Buffer.from([field << 3, ...varint(from)]);
}

function text(field: number, from: string): Buffer {
  return bytes(field, Buffer.from(from));
}

function bytes(field: number, from: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(from.length)]), from]);
}

function varint(from: number): readonly number[] {
  return from < 128 ? [from] : [(from & 127) | 128, ...varint(from >>> 7)];
}
