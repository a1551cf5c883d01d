import { z } from "zod";

/**
 * The configuration of a plug-in, whose own schema sees it at publish. It is stored and shown before that, so a value
 * in a member that is named as credentials are is refused here already: only a reference to a secret may stand there. Where
 * the plug-in says `secret: true`, the value has been sealed before and is a reference by now.
 */
export const pluginConfigSchema = z.record(z.string(), z.unknown()).superRefine((config, context) => {
  for (const path of plainCredentials(config, [])) {
    context.addIssue({
      code: "custom",
      path: [...path],
      message: "put the value into a secret and write ${secret:name}",
    });
  }
});

/** Which names there are is the secrets' own matter; here only the form counts. */
const reference = /^\$\{(secret:[a-z0-9-]+|sealed:isv_[0-9a-f]{24})\}$/;

/** In lower case, without hyphens and underscores. */
const credentialNames = new Set(
  (
    "apikey accesskey secretkey privatekey secret clientsecret signingsecret password passphrase " +
    "token accesstoken authtoken bearertoken refreshtoken authorization credential credentials"
  ).split(" "),
);

type Path = readonly (string | number)[];

/** Where text that is no reference stands under a credential's name, at any depth. */
function plainCredentials(value: unknown, path: Path): readonly Path[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => plainCredentials(item, [...path, index]));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const place = [...path, name];
    if (typeof member !== "string") return plainCredentials(member, place);
    const isPlain = credentialNames.has(name.replace(/[-_]/g, "").toLowerCase());
    return isPlain && !reference.test(member) ? [place] : [];
  });
}
