import { restApi } from "../../core/rest-api.ts";
import { defineForm } from "./artifact-form.ts";

/** A REST API; rulesets of the type `definition` see its OpenAPI document by itself. */
export const restApiForm = defineForm(restApi);
