import { describe } from "vitest";
import type { Catalog } from "../../src/core/catalog.ts";
import { catalogAccessContract } from "./catalog-access-contract.ts";
import { catalogAlertContract } from "./catalog-alert-contract.ts";
import { catalogApprovalContract } from "./catalog-approval-contract.ts";
import { catalogClientContract } from "./catalog-client-contract.ts";
import { catalogComplianceContract } from "./catalog-compliance-contract.ts";
import { catalogKeyContract } from "./catalog-key-contract.ts";
import { catalogOauthContract } from "./catalog-oauth-contract.ts";
import { catalogPublishContract } from "./catalog-publish-contract.ts";
import { catalogResourceContract } from "./catalog-resource-contract.ts";
import { catalogSealedContract } from "./catalog-sealed-contract.ts";
import { catalogTransactionContract } from "./catalog-transaction-contract.ts";
import { catalogUpstreamContract } from "./catalog-upstream-contract.ts";
import { catalogWebhookContract } from "./catalog-webhook-contract.ts";

/** Makes an empty catalog of the database under test. The contract closes it. */
export type OpenCatalog = () => Promise<Catalog>;

/** What every database behind `Catalog` promises. */
export function catalogContract(name: string, open: OpenCatalog): void {
  describe(`a catalog in ${name}`, () => {
    describe("resources", () => catalogResourceContract(open));
    describe("revisions and deployments", () => catalogPublishContract(open));
    describe("keys, secrets, audit and settings", () => catalogKeyContract(open));
    describe("who is let in", () => catalogAccessContract(open));
    describe("OAuth clients and users", () => catalogClientContract(open));
    describe("OAuth state, revocations and signing keys", () => catalogOauthContract(open));
    describe("inline secrets and sealed values", () => catalogSealedContract(open));
    describe("what upstreams have given out", () => catalogUpstreamContract(open));
    describe("calls that wait for a person", () => catalogApprovalContract(open));
    describe("how resources stand to rules", () => catalogComplianceContract(open));
    describe("how alerts stand", () => catalogAlertContract(open));
    describe("what webhooks are told", () => catalogWebhookContract(open));
    describe("transactions", () => catalogTransactionContract(open));
  });
}
