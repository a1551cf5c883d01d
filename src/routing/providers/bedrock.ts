import { z } from "zod";
import { httpUrlSchema, secretReferenceSchema } from "../../core/api-spec.ts";
import { signAwsRequest } from "../../kernel/sign-aws-request.ts";
import type { ProviderCall, ProviderRequest } from "../../pipeline/define-provider.ts";
import { defineProvider } from "../../pipeline/define-provider.ts";
import { bedrockConverse } from "../dialects/bedrock/bedrock-converse.ts";
import { bedrockCounting, bedrockEmbeddings } from "./bedrock-forms.ts";
import { secretHeader } from "./secret-header.ts";

const config = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "a region such as eu-central-1")
    .meta({ title: "Region", description: "Where the models run." }),
  endpoint: httpUrlSchema.optional().meta({
    title: "Endpoint",
    description: "Another one than the region's own, such as that of a VPC.",
  }),
  accessKeyId: z
    .string()
    .regex(/^[A-Z0-9]{8,128}$/, "capital letters and digits")
    .meta({ title: "Access key id", description: "The name of the key; it is no secret." }),
  secretAccessKey: secretReferenceSchema.meta({ title: "Secret access key", description: "The secret that holds it." }),
  sessionToken: secretReferenceSchema.optional().meta({
    title: "Session token",
    description: "The secret that holds it, for keys that are lent for a time.",
  }),
});

/**
 * Models in AWS Bedrock, by Converse and ConverseStream. Clients of all dialects are translated; model names are ids of
 * models or of inference profiles.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
export const bedrock = defineProvider({
  id: "bedrock",
  title: "AWS Bedrock",
  summary: "Models in AWS Bedrock.",
  config,
  examples: [{ region: "eu-central-1", accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "${secret:aws-key}" }],
  compile({ region, endpoint, accessKeyId, secretAccessKey, sessionToken }, { secrets, clock }) {
    const baseUrl = (endpoint ?? `https://bedrock-runtime.${region}.amazonaws.com`).replace(/\/+$/, "");
    const { host, pathname } = new URL(baseUrl);
    const basePath = pathname.replace(/\/$/, "");
    const readKey = secretHeader(secrets, secretAccessKey);
    const readToken = sessionToken === undefined ? () => undefined : secretHeader(secrets, sessionToken);
    return {
      baseUrl,
      dialects: ["bedrock-converse"],
      framing: "aws-event-stream",
      listsModels: false,
      embeddings: bedrockEmbeddings,
      counting: bedrockCounting,
      streamUsage: false,
      usage: bedrockConverse.usage,
      async request(call): Promise<ProviderRequest> {
        const [key, token] = await Promise.all([readKey(), readToken()]);
        const path = pathOf(call);
        const headers = { "content-type": "application/json" };
        const signed = signAwsRequest(
          { method: "POST", host, path: basePath + path, headers, body: call.body },
          { accessKeyId, secretAccessKey: key, sessionToken: token },
          { region, service: "bedrock", nowMs: clock.now() },
        );
        return {
          method: "POST",
          path,
          headers: { ...headers, ...signed, "accept-encoding": "identity" },
          body: call.body,
        };
      },
    };
  },
});

// A model's id has colons, and a profile's ARN slashes too.
function pathOf({ operation, model, stream }: ProviderCall): string {
  const place = `/model/${encodeURIComponent(model)}`;
  if (operation === "embeddings") return `${place}/invoke`;
  if (operation === "count-tokens") return `${place}/count-tokens`;
  return `${place}/${stream ? "converse-stream" : "converse"}`;
}
