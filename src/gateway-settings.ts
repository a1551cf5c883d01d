import { z } from "zod";

const planesSchema = z.enum(["control", "gateway"]);

/** Which planes one process runs. */
export const planesSetting = z
  .array(planesSchema)
  .refine((planes) => planes.length > 0, "name at least one")
  .refine((planes) => new Set(planes).size === planes.length, "name each plane once")
  .default(["control", "gateway"])
  .meta({
    title: "Planes",
    description:
      "What this process runs: `control,gateway` is all there is; `gateway` alone pulls what it serves from the control plane at `controlUrl`; `control` alone serves no APIs, only what OAuth needs on the gateway's port.",
  });

/** What the planes of a process ask of the rest of its configuration. */
export function checkPlanes(config: PlaneNeeds, { addIssue }: z.RefinementCtx): void {
  const { planes, publicUrl, controlUrl, gateway } = config;
  const refuse = (path: readonly string[], message: string): void =>
    addIssue({ code: "custom", path: [...path], message });
  if (!planes.includes("gateway") && publicUrl === undefined) {
    refuse(["publicUrl"], "planes is `control`, so this must say where clients reach the gateways");
  }
  if (planes.includes("control")) return;
  if (controlUrl === undefined) {
    refuse(["controlUrl"], "planes is `gateway`, so this must say where the control plane is; --control-url does");
  } else if (!isPrivateWay(controlUrl)) {
    refuse(["controlUrl"], "a gateway fetches secrets from there: https, or http to this machine only");
  }
  if ((gateway.token ?? gateway.tokenFile) === undefined) {
    const message = "planes is `gateway`, so this must name the file of its token; --gateway-token-file does";
    refuse(["gateway", "tokenFile"], message);
  }
}

interface PlaneNeeds {
  readonly planes: readonly string[];
  readonly publicUrl?: string | undefined;
  readonly controlUrl?: string | undefined;
  readonly gateway: { readonly token?: string | undefined; readonly tokenFile?: string | undefined };
}

function isPrivateWay(url: string): boolean {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol === "https:") return true; // what is no URL was refused before
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(parsed.hostname);
}

/** Of a process that is a gateway only. */
export const gatewaySettings = z
  .strictObject({
    token: z
      .string()
      .regex(/^[\x21-\x7e]{16,500}$/, "a token as `gatehouse gateways tokens add` prints it")
      .optional()
      .meta({
        title: "Gateway token",
        description: "Opens the control plane's feed to this gateway. Better in a file: `gateway.tokenFile`.",
        secret: true,
      }),
    tokenFile: z.string().min(1).max(4_096).optional().meta({
      title: "Gateway token file",
      description: "A file that holds the token and nothing else. Read again when the control plane refuses it.",
    }),
    node: z
      .string()
      .regex(/^[\w.:-]{1,128}$/, "letters, digits and . : _ -")
      .optional()
      .meta({
        title: "Gateway name",
        description: "How this gateway is called in rows and reports. Absent: the machine's name.",
      }),
    pollMs: z.int().min(50).max(60_000).default(500).meta({
      title: "Poll interval",
      description: "Milliseconds between two questions whether something has changed; a change holds within that.",
    }),
    staleAfterHours: z.int().min(1).max(8_760).default(72).meta({
      title: "Stale after",
      description:
        "Hours that a gateway goes on from what it last heard while the control plane is away. After them it answers 503.",
    }),
  })
  .prefault({})
  .meta({ title: "Gateway process" });

/** The settings with every default in place. */
export type GatewaySettings = z.output<typeof gatewaySettings>;
