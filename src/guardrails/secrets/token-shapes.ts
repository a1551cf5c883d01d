import { crc32 } from "node:zlib";
import type { SecretShape } from "./secret-shapes.ts";

/**
 * Something that each of these shapes holds: a text without it is asked nothing else. Kept beside them, and tried with an
 * example of each.
 */
export const tokenHint =
  /A[KS]IA|ABIA|ACCA|AIza|ya29\.|GOCSPX-|gh[a-z]?_|github_pat_|gl[a-z]{2,6}-|xox[abeoprs]-|xapp-|hooks\.slack|[sr]k_(?:live|test)_|whsec_|sk-|hf_|gsk_|pplx-|r8_|xai-|nvapi-|npm_|pypi-|rubygems_|dckr_|SG\.|key-|-us\d|SK[0-9a-f]|:AA|[MNO][A-Za-z0-9]{2,}|do[opr]_v1_|AccountKey=|SharedAccessKey=|sig=|8Q~|dapi|hv[sb]\.|atlasv1|dp\.|shp|sq0|lin_api_|secret_|ntn_|PMAK-|NRAK-|gl(?:c|sa)_|sntrys_|figd_|ATATT|pat[A-Za-z0-9]|pscale_|sbp_|pul-|AGE-SECRET|eyJ|tvly-|EAA|rzp_|sk_[a-z0-9]|dop_|HRKU-|nfp_|cfp?at_/;

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Keys and tokens that are known by how they look. */
export const tokenShapes: readonly SecretShape[] = [
  { id: "gatehouse-key", pattern: /(?<![\w-])gh(?:_pat|[a-z])?_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}(?!\w)/g },
  {
    id: "github-token",
    pattern: /(?<![\w-])(?:gh[pousr]_[0-9A-Za-z]{36,251}|github_pat_[0-9A-Za-z_]{36,251})(?!\w)/g,
    isSound: hasCrc,
  },
  { id: "npm-token", pattern: /(?<![\w-])npm_[0-9A-Za-z]{36}(?!\w)/g, isSound: hasCrc },
  { id: "aws-access-key", pattern: /(?<![\w-])(?:A[KS]IA|ABIA|ACCA)[A-Z0-9]{16}(?!\w)/g },
  { id: "google-key", pattern: /(?<![\w-])(?:AIza[\w-]{35}|GOCSPX-[\w-]{28}|ya29\.[\w-]{20,2048})(?![\w-])/g },
  { id: "gitlab-token", pattern: /(?<![\w-])gl(?:pat|dt|rt|cbt|ptt|ft|oas|agent|soat|imt|ffct)-[\w.-]{20,255}/g },
  { id: "slack-token", pattern: /(?<![\w-])(?:xox[abeoprs]-[0-9A-Za-z-]{10,255}|xapp-\d-[0-9A-Za-z-]{10,255})/g },
  { id: "slack-webhook", pattern: /(?<![\w-])hooks\.slack\.com\/(?:services|workflows)\/[A-Za-z0-9/]{20,120}/g },
  { id: "stripe-key", pattern: /(?<![\w-])(?:[sr]k_(?:live|test)_[0-9A-Za-z]{10,255}|whsec_[0-9A-Za-z+/=]{24,128})/g },
  { id: "anthropic-key", pattern: /(?<![\w-])sk-ant-[\w-]{20,255}/g },
  {
    id: "openai-key",
    pattern:
      /(?<![\w-])sk-(?:(?:proj|svcacct|admin|None)-[\w-]{20,255}|[0-9A-Za-z]{20}T3BlbkFJ[0-9A-Za-z]{20}|[0-9A-Za-z]{32,255})(?!\w)/g,
  },
  {
    id: "model-provider-key",
    pattern:
      /(?<![\w-])(?:sk-(?:or-v1|lf)-[\w-]{24,255}|hf_[0-9A-Za-z]{30,64}|gsk_[0-9A-Za-z]{40,64}|pplx-[0-9A-Za-z]{40,64}|r8_[0-9A-Za-z]{30,64}|xai-[0-9A-Za-z]{40,128}|nvapi-[\w-]{40,128}|tvly-[\w-]{24,64})(?!\w)/g,
  },
  {
    id: "package-registry-token",
    pattern: /(?<![\w-])(?:pypi-[\w-]{50,512}|rubygems_[0-9a-f]{48}|dckr_(?:pat|oat)_[\w-]{20,64})(?!\w)/g,
  },
  {
    id: "mail-service-key",
    pattern: /(?<![\w-])(?:SG\.[\w-]{16,64}\.[\w-]{16,64}|key-[0-9a-f]{32}|[0-9a-f]{32}-us\d{1,2})(?!\w)/g,
  },
  { id: "twilio-key", pattern: /(?<![\w-])SK[0-9a-f]{32}(?!\w)/g },
  {
    id: "chat-bot-token",
    pattern: /(?<![\w-])(?:\d{8,10}:AA[\w-]{32,34}|[MNO][A-Za-z0-9]{23,27}\.[\w-]{6}\.[\w-]{27,45})(?![\w-])/g,
  },
  {
    id: "azure-key",
    pattern:
      /(?<![\w-])(?:(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,88}={0,2}|[\w~.-]{3}8Q~[\w~.-]{31,37}(?![\w~.-])|sig=[A-Za-z0-9%+/]{40,100}(?:%3D|=)?)/g,
  },
  {
    id: "cloud-token",
    pattern:
      /(?<![\w-])(?:do[opr]_v1_[0-9a-f]{64}|dapi[0-9a-f]{32}(?:-\d)?|hv[sb]\.[\w-]{24,255}|[0-9A-Za-z]{14}\.atlasv1\.[\w-]{60,80}|dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,80}|HRKU-[\w-]{36,64}|nfp_[0-9A-Za-z]{36,40}|pscale_(?:tkn|pw|oauth)_[\w.-]{32,64}|sbp_[0-9a-f]{40}|pul-[0-9a-f]{40})(?!\w)/g,
  },
  {
    id: "service-token",
    pattern:
      /(?<![\w-])(?:shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}|sq0(?:atp|csp|idp)-[\w-]{22,43}|lin_api_[0-9A-Za-z]{32,64}|secret_[0-9A-Za-z]{43}|ntn_[0-9A-Za-z]{40,64}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}|NRAK-[0-9A-Z]{27}|gl(?:c|sa)_[\w=-]{32,255}|sntrys_[\w+/=-]{40,255}|figd_[\w-]{36,64}|ATATT3[\w=-]{50,255}|pat[0-9A-Za-z]{14}\.[0-9a-f]{64}|EAA[0-9A-Za-z]{60,255}|rzp_(?:live|test)_[0-9A-Za-z]{14,32}|AGE-SECRET-KEY-1[0-9A-Z]{58})(?!\w)/g,
  },
  { id: "jwt", pattern: /(?<![\w-])eyJ[\w-]{10,4000}\.[\w-]{8,8000}(?:\.[\w-]{0,4000})?/g },
];

/**
 * Whether the last six characters are the CRC-32 of those between prefix and them, in base 62: GitHub's and npm's tokens.
 * @see https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
 */
function hasCrc(token: string): boolean {
  const body = token.slice(token.lastIndexOf("_") + 1, -6);
  let rest = crc32(body);
  let check = "";
  while (check.length < 6) {
    check = base62.charAt(rest % 62) + check;
    rest = Math.floor(rest / 62);
  }
  return token.endsWith(check);
}
