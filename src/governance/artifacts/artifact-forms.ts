import { applicationForm } from "./application.ts";
import type { ArtifactForm } from "./artifact-form.ts";
import { asyncApiForm } from "./async-api.ts";
import { llmApiForm } from "./llm-api.ts";
import { llmProviderForm } from "./llm-provider.ts";
import { mcpServerForm } from "./mcp-server.ts";
import { restApiForm } from "./rest-api.ts";

/** The forms of all kinds that rulesets may be held against. */
export const artifactForms: readonly ArtifactForm[] = [
  mcpServerForm,
  llmApiForm,
  llmProviderForm,
  restApiForm,
  asyncApiForm,
  applicationForm,
];
