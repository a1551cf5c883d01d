import { GatewayError } from "../../../kernel/errors.ts";
import type { McpBackend, McpCall, McpContext, McpObject, McpReply } from "../../../mcp/backend.ts";
import { inputRequestsOf } from "../../../mcp/wire/era-results.ts";

const maxRounds = 16;

/**
 * A request of a client that can be asked in the middle of a call, to a server that cannot: what the server asks by an
 * `input_required` result, the client is asked, and the request goes up again with its answers, until there is a result.
 * What the client refuses or cannot be asked is the request's error.
 */
export async function withInputRounds(backend: McpBackend, call: McpCall, context: McpContext): Promise<McpReply> {
  let params = call.params;
  for (let round = 0; round < maxRounds; round += 1) {
    const reply = await backend.request({ method: call.method, params }, context);
    if (!("result" in reply) || reply.result["resultType"] !== "input_required") return reply;
    const answers = await askAll(reply.result, context);
    if ("error" in answers) return answers;
    const { requestState } = reply.result;
    params = {
      ...call.params,
      inputResponses: answers.result,
      ...(requestState !== undefined && { requestState }),
    };
  }
  throw new GatewayError("upstream.invalid", "The MCP server asked for input again and again.", {
    detail: `${maxRounds} rounds`,
  });
}

async function askAll(result: McpObject, context: McpContext): Promise<McpReply> {
  const asked = [...inputRequestsOf(result)];
  const replies = await Promise.all(
    asked.map(async ([key, question]) => ({ key, question, reply: await context.ask(question) })),
  );
  const refused = replies.find(({ reply }) => "error" in reply);
  if (refused !== undefined && "error" in refused.reply) {
    const { code, message, data } = refused.reply.error;
    const text = `The server needs ${refused.question.method} of the client, which did not give it: ${message}`;
    return { error: { code, message: text, ...(data !== undefined && { data }) } };
  }
  return {
    result: Object.fromEntries(replies.flatMap(({ key, reply }) => ("result" in reply ? [[key, reply.result]] : []))),
  };
}
