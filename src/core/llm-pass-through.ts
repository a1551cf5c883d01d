import { z } from "zod";

/** What of a provider can be opened beside chats and embeddings. */
export const passThroughFamilies = ["images", "audio", "files", "batches", "moderations", "rerank"] as const;
export type PassThroughFamily = (typeof passThroughFamilies)[number];

/** Members of an LLM API that open further endpoints of its providers. */
export const passThroughFields = {
  passThrough: z.array(z.enum(passThroughFamilies)).max(passThroughFamilies.length).default([]).meta({
    title: "Pass-through",
    description:
      "Endpoints of OpenAI's dialect that are opened beside chats and embeddings; none when empty. Bodies pass untouched and unread by guardrails, so none may be attached; keys, limits, budgets and rows hold.",
  }),
  uploadBytes: z.int().min(1).max(1_073_741_824).default(104_857_600).meta({
    title: "Upload bytes",
    description: "The largest upload (a multipart body) of those endpoints. It is streamed on, and never held whole.",
  }),
};
