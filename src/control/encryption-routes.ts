import { z } from "zod";
import type { CoreContext } from "../core/core-context.ts";
import type { Encryption, EncryptionStatus } from "../core/encryption.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { parseInput } from "./parse-input.ts";
import { schemaComponent } from "./schema-component.ts";

/** The encryption keys by their ids, their rotation, and values sealed for files. No answer holds a key or a value. */
export function encryptionRoutes(): readonly ControlRoute[] {
  const common = { tag: "Encryption" } as const;
  return [
    defineRoute({
      ...common,
      method: "get",
      path: "/api/v1/encryption",
      operationId: "getEncryption",
      access: { permission: "encryption:read" },
      summary: "Which keys there are, how much each one seals, and how the last rotation went",
      answers: { 200: { description: "The keys by their ids.", schema: status } },
      async handle({ context }) {
        return jsonAnswer(200, viewOf(await encryptionOf(context).status()));
      },
    }),
    defineRoute({
      ...common,
      method: "post",
      path: "/api/v1/encryption/rotate",
      operationId: "rotateEncryption",
      access: { permission: "encryption:write" },
      summary: "Seal everything with the current key, or with a new one, beside the traffic; goes on where one stopped",
      body: rotateBody,
      answers: { 202: { description: "It has begun; read the status for how far it is.", schema: status } },
      async handle({ context, actor, body }) {
        const request = parseInput(rotateSchema, await body(), { code: "request.invalid" });
        return jsonAnswer(202, viewOf(await encryptionOf(context).rotate(actor, request)));
      },
    }),
    defineRoute({
      ...common,
      method: "post",
      path: "/api/v1/encryption/seal",
      operationId: "sealValue",
      access: { permission: "secrets:write" },
      summary: "Seal a value for a file",
      body: sealBody,
      answers: { 200: { description: "The text that stands for the value in a file.", schema: sealed } },
      async handle({ context, body }) {
        const { value } = parseInput(sealSchema, await body(), { code: "request.invalid" });
        return jsonAnswer(200, { sealed: encryptionOf(context).sealForFile(value) });
      },
    }),
  ];
}

/** What `GET /encryption` answers. */
export const encryptionStatusSchema = z.strictObject({
  keysFrom: z.enum(["configuration", "file"]).meta({
    description: "Where this process has its keys from. Only those in the file of the data directory can be added to.",
  }),
  keys: z.array(
    z.strictObject({
      id: z.string(),
      current: z.boolean().meta({ description: "Whether it seals what is written now." }),
      given: z.boolean().meta({ description: "Whether this process has it." }),
      values: z.int().meta({
        description:
          "Values that it has sealed, at the beginning of a rotation that runs. A key of none may be dropped.",
      }),
      places: z.record(z.string(), z.int()),
    }),
  ),
  rotation: z.strictObject({
    state: z.enum(["never", "running", "done", "failed"]).meta({ description: "Since the process was started." }),
    done: z.int(),
    total: z.int(),
    unreadable: z.int().meta({ description: "Values that no key opens; they stay as they are." }),
    startedAt: z.iso.datetime().nullable(),
    endedAt: z.iso.datetime().nullable(),
    retired: z.array(z.string()).meta({ description: "Keys that seal nothing any more." }),
    fault: z.string().nullable(),
  }),
});

const rotateSchema = z.strictObject({
  newKey: z
    .boolean()
    .default(false)
    .meta({ title: "New key", description: "Make one and put it first in the key file." }),
  dropOld: z
    .boolean()
    .default(false)
    .meta({ title: "Drop", description: "Take keys that seal nothing any more out of the key file at the end." }),
});

const sealSchema = z.strictObject({
  value: z.string().min(1).max(65_536).meta({ title: "Value", description: "Kept nowhere." }),
});

const status = schemaComponent("Encryption", encryptionStatusSchema, "output");
const rotateBody = schemaComponent("RotateEncryption", rotateSchema, "input");
const sealBody = schemaComponent("SealValue", sealSchema, "input");
const sealed = schemaComponent("SealedValue", z.strictObject({ sealed: z.string() }), "output");

function encryptionOf({ encryption }: CoreContext): Encryption {
  if (encryption !== undefined) return encryption;
  throw new GatewayError("route.not_served", "This process has no encryption keys.");
}

function viewOf({ keysFrom, keys, rotation }: EncryptionStatus): z.output<typeof encryptionStatusSchema> {
  const { startedAtMs, endedAtMs, retired, ...rest } = rotation;
  return {
    keysFrom,
    keys: keys.map((key) => ({ ...key, places: { ...key.places } })),
    rotation: { ...rest, retired: [...retired], startedAt: timeOf(startedAtMs), endedAt: timeOf(endedAtMs) },
  };
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
