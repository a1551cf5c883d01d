import type { z } from "zod";
import { encryptionStatusSchema } from "../control/encryption-routes.ts";
import { sealForFile } from "../core/file-envelope.ts";
import { GatewayError } from "../kernel/errors.ts";
import { findKeyring } from "../sealed-settings.ts";
import type { ControlOptions } from "./common-options.ts";
import { commandConfig } from "./common-options.ts";
import type { ControlClient } from "./control-client.ts";
import { openControlClient } from "./control-client.ts";
import type { Shell } from "./shell.ts";

export interface RotateOptions extends ControlOptions {
  readonly newKey?: boolean;
  readonly dropOld?: boolean;
}

/**
 * Seals everything with the current key, or with a new one, and prints how far it is. Stopping the command leaves the
 * rotation running; where the process itself is stopped, the same command goes on with what is left.
 */
export async function rotateSecrets(options: RotateOptions, shell: Shell): Promise<void> {
  await using control = await openControlClient(options, shell);
  const { newKey = false, dropOld = false } = options;
  let status = statusOf(await control.call("POST", "/api/v1/encryption/rotate", { newKey, dropOld }));
  const current = status.keys.find((key) => key.current)?.id ?? "";
  shell.out(`sealing ${status.rotation.total} values with ${current}`);
  for (let told = -1; status.rotation.state === "running"; ) {
    const { done, total } = status.rotation;
    if (done !== told) shell.note(`${done} of ${total}`);
    told = done;
    await pause(shell);
    status = await readStatus(control);
  }
  const { state, done, fault, retired } = status.rotation;
  if (state !== "done") {
    throw new GatewayError("secret.undecryptable", `The rotation has not come to its end: ${fault ?? "unknown"}.`);
  }
  shell.out(`sealed ${done} values with ${current}`);
  if (dropOld) {
    shell.note(
      "Backups from before now need the keys that were dropped. They are in encryption.key.dropped in the data",
    );
    shell.note("directory: put them where the keys of your backups are, and delete that file.");
  }
  for (const id of retired) shell.out(`${id} seals nothing any more${stillGiven(status, id) ? dropHint(status) : ""}`);
}

/**
 * Makes `${enc:…}` of a value from the standard input, or asked for at a terminal, fit to stand in a resource file or in
 * `gatehouse.yaml`. With the key at hand nothing is asked of a running process; else its control plane does it.
 */
export async function encryptSecret(options: ControlOptions, shell: Shell): Promise<void> {
  const value = (await shell.readSecret("Value: ")).replace(/\r?\n$/, "");
  if (value === "") {
    throw new GatewayError(
      "request.invalid",
      'There is no value. Pipe it in: printf %s "$VALUE" | gatehouse secrets encrypt',
    );
  }
  const keys = options.controlUrl === undefined ? findKeyring(commandConfig(options, shell).config) : undefined;
  if (keys !== undefined) return shell.out(sealForFile(keys, value));
  await using control = await openControlClient(options, shell);
  const answer = await control.call("POST", "/api/v1/encryption/seal", { value });
  shell.out(String(Reflect.get(Object(answer), "sealed")));
}

/** The status as the control plane tells it. */
export async function readStatus(control: ControlClient): Promise<Status> {
  return statusOf(await control.call("GET", "/api/v1/encryption"));
}

type Status = z.output<typeof encryptionStatusSchema>;

function statusOf(answer: unknown): Status {
  return encryptionStatusSchema.parse(answer);
}

function stillGiven({ keys }: Status, id: string): boolean {
  return keys.some((key) => key.id === id && key.given);
}

function dropHint({ keysFrom }: Status): string {
  return keysFrom === "file"
    ? "; take it out of the key file with: gatehouse secrets rotate --drop-old"
    : "; it may be taken out of GATEHOUSE_ENCRYPTION_KEYS";
}

async function pause(shell: Shell): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const keepAlive = setInterval(() => {}, 1_000); // the clock's own timers let the process end
  shell.clock.after(150, resolve);
  await promise.finally(() => clearInterval(keepAlive));
}
