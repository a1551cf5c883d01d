import { z } from "zod";

/** An http or https URL without a slash at its end. */
export const urlSchema = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .transform((url) => url.replace(/\/+$/, ""));
