import type { KeyObject } from "node:crypto";
import type { Clock } from "../../../kernel/clock.ts";
import { createRequestStates } from "../../../mcp/request-state.ts";
import type { SessionTokens } from "../../../mcp/session-token.ts";
import type { TaskOwners } from "../../../mcp/task-owners.ts";
import type { Answer } from "../../../pipeline/exchange.ts";
import { mcpRequest } from "../mcp-request.ts";
import { createToolHeaders } from "../tool-headers.ts";
import type { FaceRequest, FaceTools } from "./face-tools.ts";
import { answerLegacy } from "./legacy-face.ts";
import { answerModern } from "./modern-face.ts";
import { createParking } from "./parking.ts";
import { createServedSessions } from "./served-sessions.ts";
import { createWaitingAnswers } from "./waiting-answers.ts";

/** Answers one message of a client of either era from a backend, as a server of the client's own era. */
export function serveFace(request: FaceRequest): Promise<Answer> {
  return mcpRequest(request.operation).era === "modern" ? answerModern(request) : answerLegacy(request);
}

export interface FaceParts {
  readonly clock: Clock;
  readonly tokens: SessionTokens;
  readonly tasks: TaskOwners;
  /** Seals what clients carry between two rounds. */
  readonly sessionKey: KeyObject;
}

/** What the faces of one gateway share; nothing is kept yet. */
export function createFaceTools({ clock, tokens, tasks, sessionKey }: FaceParts): FaceTools {
  return {
    clock,
    tokens,
    tasks,
    sessions: createServedSessions(),
    answers: createWaitingAnswers(),
    parking: createParking(clock, createRequestStates(sessionKey)),
    running: new Map(),
    toolHeaders: createToolHeaders(),
  };
}
