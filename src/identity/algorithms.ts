import { z } from "zod";

/** Algorithms by which tokens may be signed: asymmetric ones only, so no public key can be taken for a shared secret. */
export const asymmetricAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

/** The option that permits algorithms. */
export const algorithmsSchema = z
  .array(z.enum(asymmetricAlgorithms))
  .min(1)
  .max(asymmetricAlgorithms.length)
  .default(["RS256", "PS256", "ES256", "EdDSA"])
  .meta({
    title: "Algorithms",
    description: "Signature algorithms that are accepted; the rest, `none` too, never is.",
  });

/** The option for clocks that differ. */
export const clockSkewSchema = z
  .int()
  .min(0)
  .max(300)
  .default(30)
  .meta({ title: "Clock skew", description: "Seconds by which the server's clock may differ from this one." });
