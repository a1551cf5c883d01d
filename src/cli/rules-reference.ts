import { z } from "zod";
import { defaultRulesets, readDefaultRuleset } from "../governance/default-rulesets.ts";

const rulesSchema = z.looseObject({
  rules: z.record(
    z.string(),
    z.union([
      z.literal("off"), // a rule of what the ruleset extends
      z.looseObject({
        description: z.string(),
        severity: z.string(),
        extensions: z.looseObject({ why: z.string(), howToFix: z.string() }),
      }),
    ]),
  ),
});

/** The page of all rules that ship with the product, in Markdown, made from the rulesets themselves. */
export function printRules(): string {
  const parts = Object.entries(defaultRulesets).map(([id, ruleset]) => {
    const rows = Object.entries(rulesSchema.parse(readDefaultRuleset(ruleset)).rules).flatMap(([name, rule]) => {
      if (rule === "off") return [];
      const { description, severity, extensions } = rule;
      const { why, howToFix } = extensions;
      return [`| \`${name}\` | ${severity} | ${cell(description)} | ${cell(why)} | ${cell(howToFix)} |`];
    });
    return `## ${ruleset.title}

\`${id}\`, for ${ruleset.artifacts.join(" and ")}. ${ruleset.summary}

| rule | severity | what | why | how to fix it |
|---|---|---|---|---|
${rows.join("\n")}
`;
  });
  return `${intro.trim()}

${parts.join("\n")}`;
}

const intro = `
# Rules

Printed by \`gatehouse governance rules\`; a test keeps this page equal to the rulesets, and breaks each rule once. Policies and
\`extends\` name these rulesets as they name any other: see [the guide](../guides/governance.md).
`;

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
