import { z } from "zod";

import { urlSchema } from "./url-schema.ts";

/** Where the analytics server is, if there is one. */
export const clickhouseSettings = z
  .strictObject({
    url: urlSchema
      .refine((url) => new URL(url).username === "", "give the user and the password apart from the URL")
      .optional()
      .meta({
        title: "ClickHouse URL",
        description: "A ClickHouse server's HTTP address: `https://clickhouse.example.com:8443`.",
        env: "CLICKHOUSE_URL",
      }),
    user: z.string().min(1).max(256).default("default").meta({
      title: "ClickHouse user",
      description: "Needs to create its database and tables, and to read and write them.",
      env: "CLICKHOUSE_USER",
    }),
    password: z.string().max(4_096).optional().meta({
      title: "ClickHouse password",
      description: "That user's.",
      env: "CLICKHOUSE_PASSWORD",
      secret: true,
    }),
    readerUser: z.string().min(1).max(256).optional().meta({
      title: "ClickHouse reader",
      description:
        "A user who may read the tables and do nothing else. Statements of analysts run as this user; without it there are none.",
      env: "CLICKHOUSE_READER_USER",
    }),
    readerPassword: z.string().max(4_096).optional().meta({
      title: "ClickHouse reader's password",
      description: "That user's.",
      env: "CLICKHOUSE_READER_PASSWORD",
      secret: true,
    }),
    database: z
      .string()
      .regex(/^[A-Za-z_]\w{0,62}$/, "letters, digits and underscores")
      .default("gatehouse")
      .meta({
        title: "ClickHouse database",
        description: "Made when it is missing.",
        env: "CLICKHOUSE_DATABASE",
      }),
    cluster: z
      .string()
      .regex(/^[A-Za-z_][\w-]{0,62}$/, "letters, digits, underscores and dashes")
      .optional()
      .meta({
        title: "ClickHouse cluster",
        description:
          "The name of a cluster of one shard, whose servers then each have all rows. Set it before the tables are made. Not tried on a cluster yet.",
        env: "CLICKHOUSE_CLUSTER",
      }),
  })
  .prefault({})
  .meta({ title: "ClickHouse" });
