import { z } from "zod";
import { definePolicy } from "../../src/pipeline/define-policy.ts";
import { deny } from "../../src/pipeline/outcome.ts";

const config = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, "a header's name in lower case")
    .meta({ title: "Name", description: "The header that must be sent." }),
});

/** Refuses requests that lack a header. */
export const requiredHeader = definePolicy({
  id: "required-header",
  title: "Required header",
  summary: "Refuses requests that lack a header.",
  config,
  examples: [{ name: "x-cost-centre" }],
  onError: "deny",
  compile: ({ name }) => ({
    admit(exchange) {
      if (exchange.inbound.headers[name] !== undefined) return undefined;
      return deny("request.invalid", `Send the header ${name}.`, { param: name });
    },
  }),
});
