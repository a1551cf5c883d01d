import type {
  ClientCapabilities,
  InputRequest,
  McpServer,
  RequestStateCodec,
  ServerContext,
} from "@modelcontextprotocol/server";
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  inputResponse,
} from "@modelcontextprotocol/server";
import { text } from "./fixture-content-tools.ts";

/** The state that goes round through the client, sealed. */
export interface FixtureState {
  readonly round: string;
}

/** Tools that answer `input_required` and are called again with what they asked for (2026-07-28, patterns/mrtr). */
export function addInputTools(server: McpServer, states: RequestStateCodec<FixtureState>): void {
  addSingleQuestions(server);
  addStatefulQuestions(server, states);
  server.registerTool("test_input_required_result_capabilities", { description: "Asks what may be asked" }, (ctx) => {
    const asked = { user_name: askName(), capital_question: askModel("What is the capital of France?") };
    const { inputResponses } = ctx.mcpReq;
    if (inputResponses !== undefined && Object.keys(asked).some((key) => key in inputResponses)) return text("Done.");
    const able = capabilitiesOf(ctx);
    const inputRequests: Record<string, InputRequest> = {};
    if (able.elicitation !== undefined) inputRequests["user_name"] = asked.user_name;
    if (able.sampling !== undefined) inputRequests["capital_question"] = asked.capital_question;
    return Object.keys(inputRequests).length === 0 ? text("Nothing may be asked.") : inputRequired({ inputRequests });
  });
}

function addSingleQuestions(server: McpServer): void {
  server.registerTool("test_input_required_result_elicitation", { description: "Asks for a name" }, (ctx) => {
    const name = acceptedText(ctx, "user_name", "name");
    return name === undefined ? inputRequired({ inputRequests: { user_name: askName() } }) : text(`Hello, ${name}!`);
  });
  const sampling = { capital_question: askModel("What is the capital of France?") };
  server.registerTool("test_input_required_result_sampling", { description: "Asks a model" }, (ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, "capital_question");
    if (answer.kind !== "sampling") return inputRequired({ inputRequests: sampling });
    return text(`The model said: ${JSON.stringify(answer.result.content)}`);
  });
  server.registerTool("test_input_required_result_list_roots", { description: "Asks for roots" }, (ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, "client_roots");
    if (answer.kind !== "roots") {
      return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
    }
    return text(`Roots: ${answer.roots.map(({ uri }) => uri).join(", ")}`);
  });
  server.registerTool("test_missing_capability", { description: "Needs a model" }, (ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, "capital_question");
    return answer.kind === "sampling" ? text("Done.") : inputRequired({ inputRequests: sampling });
  });
}

function addStatefulQuestions(server: McpServer, states: RequestStateCodec<FixtureState>): void {
  for (const name of ["test_input_required_result_request_state", "test_input_required_result_tampered_state"]) {
    server.registerTool(name, { description: "Asks for a confirmation" }, async (ctx) => {
      const confirmed = acceptedContent(ctx.mcpReq.inputResponses, "confirm") !== undefined;
      if (confirmed && stateOf(ctx)?.round === "confirm") return text("state-ok");
      const requestState = await states.mint({ round: "confirm" });
      return inputRequired({ inputRequests: { confirm: askToConfirm() }, requestState });
    });
  }
  server.registerTool("test_input_required_result_multiple_inputs", { description: "Asks thrice" }, async (ctx) => {
    const { inputResponses } = ctx.mcpReq;
    const inputRequests = {
      user_name: askName(),
      greeting: askModel("Generate a greeting", 50),
      client_roots: inputRequired.listRoots(),
    };
    const isAnswered = Object.keys(inputRequests).every((key) => inputResponse(inputResponses, key).kind !== "missing");
    if (isAnswered && stateOf(ctx)?.round === "all") return text("All three are here.");
    return inputRequired({ inputRequests, requestState: await states.mint({ round: "all" }) });
  });
  server.registerTool("test_input_required_result_multi_round", { description: "Asks twice" }, async (ctx) => {
    const round = stateOf(ctx)?.round;
    const color = acceptedText(ctx, "step2", "color");
    if (round === "2" && color !== undefined) return text(`Done, in ${color}.`);
    const isSecond = round === "1" && acceptedText(ctx, "step1", "name") !== undefined;
    return isSecond
      ? inputRequired({
          inputRequests: { step2: ask("Step 2: What is your favorite color?", "color") },
          requestState: await states.mint({ round: "2" }),
        })
      : inputRequired({
          inputRequests: { step1: ask("Step 1: What is your name?", "name") },
          requestState: await states.mint({ round: "1" }),
        });
  });
}

/** One question with one text for an answer. */
export function ask(message: string, name: string): InputRequest {
  return inputRequired.elicit({
    message,
    requestedSchema: { type: "object", properties: { [name]: { type: "string" } }, required: [name] },
  });
}

/** The text that the client gave to that question; undefined when it gave none, or something else. */
export function acceptedText(ctx: ServerContext, key: string, name: string): string | undefined {
  const value = acceptedContent(ctx.mcpReq.inputResponses, key)?.[name];
  return typeof value === "string" ? value : undefined;
}

function askName(): InputRequest {
  return ask("What is your name?", "name");
}

function askToConfirm(): InputRequest {
  return inputRequired.elicit({
    message: "Please confirm",
    requestedSchema: { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] },
  });
}

function askModel(question: string, maxTokens = 100): InputRequest {
  return inputRequired.createMessage({
    messages: [{ role: "user", content: { type: "text", text: question } }],
    maxTokens,
  });
}

function capabilitiesOf({ mcpReq }: ServerContext): ClientCapabilities {
  const envelope: object = mcpReq.envelope ?? {};
  const declared: ClientCapabilities | undefined = Reflect.get(envelope, CLIENT_CAPABILITIES_META_KEY);
  return declared ?? {};
}

function stateOf(ctx: ServerContext): FixtureState | undefined {
  return ctx.mcpReq.requestState<FixtureState>(); // sealed by this file's codec, so it is what was minted
}
