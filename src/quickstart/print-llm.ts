import { relative } from "node:path";
import type { QuickstartApi } from "./quickstart-file.ts";
import { shellQuoted } from "./shell-quoted.ts";

/** Where the lines will be pasted, and the Node that runs this process: the one on a user's path may be too old. */
export interface PastePlace {
  readonly cwd: string;
  readonly node: string;
}

/** Lines to paste for an LLM API: a chat completion, a streamed one, and both with the openai SDK. */
export function llmLines(api: QuickstartApi, model: string, place: PastePlace): readonly string[] {
  const subject = api.name === "demo" ? "demo (made-up text: a demonstration, no model)" : api.name;
  return [
    "",
    `# ${subject}: a chat completion`,
    curl(api, { model, messages: hello }, ""),
    "",
    `# ${subject}: the same as a stream`,
    curl(api, { model, messages: hello, stream: true }, "-N "),
    ...routed(api, subject),
    ...filtered(api, model, subject),
    "",
    `# ${subject}: both with the openai SDK in TypeScript (here, or wherever openai is installed)`,
    ...sdk(api, model, place),
  ];
}

function routed(api: QuickstartApi, subject: string): readonly string[] {
  const { routedModel: model } = api;
  if (model === undefined) return [];
  const messages = [{ role: "user", content: "Why does this code not compile?" }];
  return [
    "",
    `# ${subject}: a model is chosen by what is asked; the header x-gatehouse-route says which rule it was, and why`,
    curl(api, { model, messages }, "-i -H 'x-gatehouse-explain: route' "),
  ];
}

function filtered(api: QuickstartApi, model: string, subject: string): readonly string[] {
  if (api.filtersTools !== true) return [];
  const messages = [{ role: "user", content: "What will the weather be in Paris tomorrow?" }];
  const tools = demoTools.map(([name, description]) => ({ type: "function", function: { name, description } }));
  return [
    "",
    `# ${subject}: of ${tools.length} tools the model gets those that fit the question; the header x-gatehouse-tools counts them`,
    curl(api, { model, messages, tools }, "-i "),
  ];
}

const demoTools = [
  ["get_weather", "The weather forecast of a city"],
  ["book_flight", "Book a flight between two cities"],
  ["send_email", "Send an e-mail"],
  ["play_music", "Play a song or an album"],
  ["create_invoice", "Write an invoice for a customer"],
  ["translate_text", "Translate a text into another language"],
  ["find_recipe", "Find a recipe for a dish"],
  ["set_alarm", "Set an alarm clock"],
] as const;

const hello = [{ role: "user", content: "Hello, who is there?" }];

function curl(api: QuickstartApi, body: object, flags: string): string {
  const headers = `-H ${shellQuoted(`authorization: Bearer ${api.apiKey}`)} -H 'content-type: application/json'`;
  return `curl -sS ${flags}${shellQuoted(`${api.url}/chat/completions`)} ${headers} -d ${shellQuoted(JSON.stringify(body))}`;
}

function sdk(api: QuickstartApi, model: string, place: PastePlace): readonly string[] {
  const near = relative(place.cwd, place.node);
  const node = near.startsWith("..") ? place.node : `./${near}`;
  return [
    `${shellQuoted(node)} --input-type=module-typescript <<'END'`,
    'import OpenAI from "openai";',
    `const client = new OpenAI({ baseURL: ${JSON.stringify(api.url)}, apiKey: ${JSON.stringify(api.apiKey)} });`,
    `const model: string = ${JSON.stringify(model)};`,
    `const messages = ${JSON.stringify(hello)} as const;`,
    "const answer = await client.chat.completions.create({ model, messages: [...messages] });",
    "console.log(answer.choices[0]?.message.content);",
    "const stream = await client.chat.completions.create({ model, messages: [...messages], stream: true });",
    'for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? "");',
    "END",
  ];
}
