/** Pieces of a mock stream, the last two being the usage and `[DONE]`. */
export const pieceCount = 12;

/** Milliseconds between two pieces of a mock stream. */
export const pieceEveryMs = 20;

const model = "bench-1";

/** A chat completion of an ordinary size, 500 bytes and some. */
export const chatAnswer = JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: 1_700_000_000,
  model,
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: "A lighthouse stands where the land ends. ".repeat(6), refusal: null },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: { prompt_tokens: 31, completion_tokens: 54, total_tokens: 85 },
});

/** Words that ask the mock for `longAnswer`, after `longAnswerMs`. */
export const asksForLong = "bench-long";

/** What a model of an ordinary speed takes in the scenario that other gateways publish, milliseconds. */
export const longAnswerMs = 10;

/** A chat completion of 10 KiB whose text is JSON, with addresses of pages and of people as such texts have them. */
export const longAnswer = JSON.stringify({
  ...(JSON.parse(chatAnswer) as object),
  choices: [
    {
      index: 0,
      message: {
        role: "assistant",
        content: JSON.stringify({ harbour: "North quay", ships: ships(46) }),
        refusal: null,
      },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
});

function ships(count: number): readonly object[] {
  return Array.from({ length: count }, (_, at) => ({
    name: `Ship ${at}`,
    cargo: "Timber, glass and a crate of oranges, to be unloaded before the evening tide.",
    page: `https://ships.example.com/arrivals/${at}`,
    ...(at % 8 === 0 && { master: `master.${at}@ships.example.com` }),
  }));
}

/** The same as a message of Anthropic's. */
export const messageAnswer = JSON.stringify({
  id: "msg_bench",
  type: "message",
  role: "assistant",
  model,
  content: [{ type: "text", text: "A lighthouse stands where the land ends. ".repeat(6) }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 31, output_tokens: 54 },
});

/** The events of one chat stream. */
export const streamPieces: readonly string[] = [
  ...Array.from({ length: pieceCount - 2 }, (_, at) =>
    event({
      choices: [{ index: 0, delta: { content: `word${at} ` }, finish_reason: at === pieceCount - 3 ? "stop" : null }],
    }),
  ),
  event({ choices: [], usage: { prompt_tokens: 31, completion_tokens: 10, total_tokens: 41 } }),
  "data: [DONE]\n\n",
];

/** The answer to a `tools/call`; `id` is JSON already. */
export function toolAnswer(id: string): string {
  return `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"${toolText}"}],"isError":false}}`;
}

const toolText = "Three ships are expected before the evening tide. ".repeat(5);

function event(fields: object): string {
  const chunk = { id: "chatcmpl-bench", object: "chat.completion.chunk", created: 1_700_000_000, model, ...fields };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
