import { z } from "zod";

/** How the audit is anchored outside of its database. */
export const auditSettings = z
  .strictObject({
    checkpointMinutes: z.int().min(1).max(10_080).default(60).meta({
      title: "Checkpoint interval",
      description:
        "Minutes between two signed checkpoints of the audit, where rows have come since; one is made at each start and stop too. They stand in the log.",
    }),
    checkpointFile: z.string().min(1).max(4_096).optional().meta({
      title: "Checkpoint file",
      description:
        "A file to which checkpoints are added as well, for `gatehouse audit verify --checkpoint`. Best on another machine's disk.",
    }),
  })
  .prefault({})
  .meta({ title: "Audit" });
