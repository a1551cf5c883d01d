import { z } from "zod";
import { apiLimitFields, contextSchema, securitySchema } from "../core/api-spec.ts";
import { attachmentsSchema } from "../core/attachment.ts";
import { captureSchema } from "../core/capture-settings.ts";

/** The fields that every API has, read from a spec that its own kind's schema has checked; the rest is left alone. */
export const commonSpecSchema = z.looseObject({
  context: contextSchema,
  security: securitySchema,
  limits: z.looseObject(apiLimitFields), // a kind may have more of them
  policies: attachmentsSchema,
  capture: captureSchema.optional(), // of kinds that have it
});
