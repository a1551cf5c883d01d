import { z } from "zod";
import { globMatcher } from "../kernel/glob.ts";
import { definePolicy } from "../pipeline/define-policy.ts";
import { deny } from "../pipeline/outcome.ts";

const globs = z.array(z.string().min(1).max(256)).min(1).max(500).optional();

const members = z.strictObject({
  allow: globs.meta({ title: "Allow", description: "Globs of models; every other one is refused." }),
  deny: globs.meta({
    title: "Deny",
    description: "Globs of models that are refused, also where they are allowed; capitals count for nothing.",
  }),
});

const config = members.refine(({ allow, deny: denied }) => allow !== undefined || denied !== undefined, {
  message: "give `allow`, `deny` or both",
});

/** Permits some models and refuses others, by the name that the caller asks for. Lists of models are let pass. */
export const modelAccess = definePolicy({
  id: "model-access",
  title: "Model access",
  summary: "Permits some models and refuses others.",
  config,
  examples: [{ allow: ["gpt-4o-mini", "claude-*"] }, { deny: ["*-preview", "o1*"] }],
  onError: "deny",
  needs: ["tokenDemand"],
  compile({ allow, deny: denied }) {
    const isAllowed = allow === undefined ? () => true : globMatcher(allow);
    const isDenied = globMatcher((denied ?? []).map((glob) => glob.toLowerCase()));
    return {
      admit({ api: { adapter } }, { name }) {
        if (adapter.tokenDemand === undefined || name === "") return undefined;
        if (isAllowed(name) && !isDenied(name.toLowerCase())) return undefined;
        return deny("auth.forbidden", `The model "${name.slice(0, 200)}" is not permitted here.`, { param: "model" });
      },
    };
  },
});
