import { createGovernance } from "../../src/governance/create-governance.ts";
import { startEvaluator } from "../governance/ruleset-kit.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import type { Answer, ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

export interface GovernedPlane extends AsyncDisposable {
  readonly plane: ControlPlane;
  /** What an administrator gets at a path below `/api/v1/governance`. */
  get(path: string): Promise<Answer>;
  /** The same for somebody with one role, for one team or, without it, the installation. */
  getAs(role: string, team: string | undefined, path: string): Promise<Answer>;
  make(path: string, name: string, spec: object, team?: string): Promise<void>;
  idle(): Promise<void>;
}

export const namedRules = {
  named: {
    severity: "warn",
    extensions: { howToFix: "Give it a display name." },
    given: "$.spec",
    // biome-ignore lint/suspicious/noThenProperty: it is Spectral's word
    then: { field: "displayName", function: "truthy" },
  },
};

/** A control plane with real evaluation, the teams red and blue, and the ruleset `named` without a policy. */
export async function openGovernedPlane(): Promise<GovernedPlane> {
  const plane = await openControlPlane();
  const governance = createGovernance(() => plane.context, startEvaluator());
  Object.assign(plane.context, { governance });
  for (const team of ["red", "blue"]) await createTeam(plane, team);
  const make: GovernedPlane["make"] = async (path, name, spec, team = "default") => {
    const answer = await plane.send("POST", `/api/v1/${path}`, { metadata: { name, team }, spec });
    if (answer.status !== 201) throw new Error(answer.text);
  };
  await make("rulesets", "named", { artifacts: ["Application"], ruleset: { rules: namedRules } });
  const tokens = new Map<string, Promise<string>>();
  const tokenOf = async (role: string, team: string | undefined): Promise<string> => {
    const user = `${role}-${team ?? "all"}`;
    await makeUser(plane, user, team === undefined ? { roles: [role] } : { teams: [{ team, roles: [role] }] }, {});
    return (await makeToken(plane.send, { user })).token;
  };
  return {
    plane,
    get: (path) => plane.send("GET", `/api/v1/governance${path}`),
    async getAs(role, team, path) {
      const key = `${role} ${team}`;
      const token = tokens.get(key) ?? tokenOf(role, team);
      tokens.set(key, token);
      return plane.send("GET", `/api/v1/governance${path}`, undefined, bearer(await token));
    },
    make,
    idle: () => governance.idle(),
    async [Symbol.asyncDispose]() {
      await governance[Symbol.asyncDispose]();
      await plane[Symbol.asyncDispose]();
    },
  };
}
