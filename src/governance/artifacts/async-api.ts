import { asyncApi } from "../../core/async-api.ts";
import { defineForm } from "./artifact-form.ts";

/** An API of messages; rulesets of the type `definition` see its AsyncAPI document by itself. */
export const asyncApiForm = defineForm(asyncApi);
