import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlOptions } from "./common-options.ts";
import { openControlClient } from "./control-client.ts";
import { secondsOf } from "./duration.ts";
import type { Shell } from "./shell.ts";

/** Tries a key manager's connection and prints each step. Throws `upstream.invalid` when one went wrong. */
export async function testKeyManager(name: string, options: ControlOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const answer = await control.call("POST", `/api/v1/key-managers/${encodeURIComponent(name)}/test`);
  const { ok, steps } = testSchema.parse(answer);
  for (const step of steps) shell.out(`${step.ok ? "ok  " : "FAIL"} ${step.name}: ${step.detail}`);
  if (!ok) throw new GatewayError("upstream.invalid", `The connection of KeyManager/${name} does not work; see above.`);
}

export interface RotateKeysOptions extends ControlOptions {
  /** How long the new key is only published; as configured when absent. */
  readonly overlap?: string;
}

/** Gives the resident key manager a new signing key and prints who signs, since when, and who still checks. */
export async function rotateSigningKeys(options: RotateKeysOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const { overlap } = options;
  const query = overlap === undefined ? "" : `?overlapSeconds=${secondsOf("--overlap", overlap)}`;
  const answer = await control.call("POST", `/api/v1/key-managers/resident/rotate${query}`);
  const { kid, signsFrom, published } = rotatedSchema.parse(answer);
  shell.out(`signing with ${kid} from ${signsFrom}`);
  for (const other of published.filter((each) => each !== kid)) shell.out(`still checking with ${other}`);
}

const testSchema = z.looseObject({
  ok: z.boolean(),
  steps: z.array(z.looseObject({ name: z.string(), ok: z.boolean(), detail: z.string() })),
});

const rotatedSchema = z.looseObject({ kid: z.string(), signsFrom: z.string(), published: z.array(z.string()) });
