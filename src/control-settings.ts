import { z } from "zod";
import { extraPathIssue } from "./core/extra-path.ts";

const addressSchema = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .refine((text) => !text.includes("#") && new URL(text).username === "", "no fragment, no name and no password");

/** Settings of the control plane's port. */
export const controlSettings = z
  .strictObject({
    extraPaths: z
      .record(z.string(), addressSchema)
      .superRefine((paths, { addIssue }) => {
        for (const [path, address] of Object.entries(paths)) {
          const below =
            path.endsWith("/*") && !address.endsWith("/") ? "what is below has to go behind a slash" : undefined;
          const message = extraPathIssue(path) ?? below;
          if (message !== undefined) addIssue({ code: "custom", path: [path], message });
        }
        if (Object.keys(paths).length > 50) addIssue({ code: "custom", message: "at most 50" });
      })
      .default({})
      .meta({
        title: "Extra paths",
        description:
          "Paths of the control plane's port beside its own, and the addresses that a browser is sent to: `/docs` is that path only, `/docs/*` that path and what is below it. In the variable as JSON.",
      }),
  })
  .prefault({})
  .meta({ title: "Control plane" });
