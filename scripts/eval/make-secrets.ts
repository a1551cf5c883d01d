import type { Draw } from "./make-numbers.ts";
import { base62, digits, letters, withTokenCheck } from "./make-numbers.ts";
import type { MakeValue } from "./make-personal-data.ts";

const small = letters.toLowerCase();
const safe = `${base62}-_`;

/** Keys and tokens as their makers shape them, drawn at random: none of them opens anything. By kind of the guardrail `secrets`. */
export const secretShapes: Readonly<Record<string, MakeValue>> = {
  "github-token": (draw) => ({ value: withTokenCheck(draw.pick(["ghp_", "gho_", "ghs_"]), draw.chars(base62, 30)) }),
  "npm-token": (draw) => ({ value: withTokenCheck("npm_", draw.chars(base62, 30)) }),
  "aws-access-key": (draw) => ({ value: draw.pick(["AKIA", "ASIA"]) + draw.chars(`${letters}234567`, 16) }),
  "google-key": (draw) => ({ value: `AIza${draw.chars(safe, 34)}${draw.chars(base62, 1)}` }),
  "gitlab-token": (draw) => ({ value: `glpat-${draw.chars(safe, 19)}${draw.chars(base62, 1)}` }),
  "slack-token": (draw) => ({
    value: `xox${draw.pick(["b", "p"])}-${draw.chars(digits, 12)}-${draw.chars(digits, 13)}-${draw.chars(base62, 24)}`,
  }),
  "slack-webhook": (draw) => ({
    value: `https://hooks.slack.com/services/T${draw.chars(letters + digits, 8)}/B${draw.chars(letters + digits, 10)}/${draw.chars(base62, 24)}`,
  }),
  "stripe-key": (draw) => ({ value: `${draw.pick(["sk", "rk"])}_live_${draw.chars(base62, draw.pick([24, 99]))}` }),
  "openai-key": (draw) => ({ value: `sk-proj-${draw.chars(base62, 74)}T3BlbkFJ${draw.chars(base62, 74)}` }),
  "anthropic-key": (draw) => ({ value: `sk-ant-api03-${draw.chars(safe, 93)}AA` }),
  "mail-service-key": (draw) => ({ value: `SG.${draw.chars(base62, 22)}.${draw.chars(base62, 43)}` }),
  "private-key": (draw) => {
    const kind = draw.pick(["RSA ", "EC ", "", "OPENSSH "]);
    const lines = Array.from({ length: draw.int(3, 12) }, () => draw.chars(`${base62}+/`, 64)).join("\n");
    return { value: `-----BEGIN ${kind}PRIVATE KEY-----\n${lines}\n-----END ${kind}PRIVATE KEY-----` };
  },
  jwt: (draw) => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { sub: draw.chars(digits, 8), iat: draw.int(1_600_000_000, 1_800_000_000) };
    return { value: `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}.${draw.chars(safe, 43)}` };
  },
  "url-password": (draw) => ({
    value: draw.chars(base62, draw.int(10, 20)),
    before: `${draw.pick(["postgres", "mysql", "redis", "amqp", "https"])}://${draw.chars(small, 5)}:`,
  }),
  "assigned-secret": (draw) => ({
    before: draw.pick(["password = ", "API_KEY=", "client_secret: ", "db_password: ", "export AUTH_TOKEN="]),
    value: strongWord(draw),
  }),
};

function strongWord(draw: Draw): string {
  return draw.chars(small, 4) + draw.chars(digits, 3) + draw.chars(letters, 4) + draw.chars(base62, draw.int(8, 20));
}
