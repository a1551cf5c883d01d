import { GatewayError } from "../../kernel/errors.ts";
import { creditCard } from "./credit-card.ts";
import { customFinder } from "./custom-entity.ts";
import { dateOfBirth } from "./date-of-birth.ts";
import { drivingLicence } from "./driving-licence.ts";
import type { PersonalData } from "./find-personal-data.ts";
import { personalDataFinder } from "./find-personal-data.ts";
import { iban } from "./iban.ts";
import { ipAddress } from "./ip-address.ts";
import { nameFinder } from "./listed-names.ts";
import { nationalIds } from "./national-ids/national-ids.ts";
import { passport } from "./passport.ts";
import { loadPhonePlans, phoneRecogniser } from "./phone.ts";
import type { Entity, PiiAction, PiiConfig } from "./pii-config.ts";
import type { Recogniser } from "./recogniser.ts";

/** What is done with personal data of one kind; never `off`. */
export type DoneAction = Exclude<PiiAction, "off">;

/** The kinds and actions of one direction. */
export interface FinderPlan {
  /** Undefined where nothing is looked for. */
  readonly find: ((text: string) => readonly PersonalData<DoneAction>[]) | undefined;
  /** Whether anything is hidden behind placeholders. */
  readonly masks: boolean;
}

/** What the configuration wants of requests, or of answers. Throws `resource.invalid` for what cannot be. */
export function compileFinder(config: PiiConfig, direction: "request" | "response"): FinderPlan {
  const { action, entities } = direction === "request" ? config : config.answers;
  const actionOf = (entity: Entity): DoneAction | undefined => done(entities[entity] ?? action);
  const numbers = numberKinds(config, actionOf);
  const names = actionOf("name");
  const custom = config.custom.flatMap((entity) => {
    const own = done(direction === "request" ? (entity.action ?? action) : action);
    if (own === undefined) return [];
    return [{ kind: kindOf(entity.name, own), find: customFinder(entity) }];
  });
  const others = [
    ...custom,
    ...(names === undefined || config.names.length === 0
      ? []
      : [{ kind: kindOf("name", names), find: nameFinder(config.names) }]),
  ];
  const email = actionOf("email");
  if (email === undefined && numbers.length === 0 && others.length === 0) return { find: undefined, masks: false };
  const used = [email, ...numbers.map((each) => each.action), ...others.map(({ kind }) => kind.action)];
  return { find: personalDataFinder({ email, numbers, others }), masks: used.includes("mask") };
}

function numberKinds(
  { nationalIds: wanted, phoneCountries: countries }: PiiConfig,
  actionOf: (entity: Entity) => DoneAction | undefined,
) {
  const rows = (entity: Entity, recognisers: () => readonly Recogniser[]) => {
    const action = actionOf(entity);
    return action === undefined ? [] : recognisers().map((recogniser) => ({ recogniser, action }));
  };
  // In the order of how sure they are: by check digits, by form, by words near them.
  return [
    ...rows("iban", () => [iban]),
    ...rows("credit-card", () => [creditCard]),
    ...rows("ip-address", () => [ipAddress]),
    ...rows("national-id", () => nationalIds.filter(({ id }) => wanted?.includes(id) !== false)),
    ...rows("date-of-birth", () => [dateOfBirth]),
    ...rows("passport", () => [passport]),
    ...rows("driving-licence", () => [drivingLicence]),
    ...rows("phone", () => [phonesOf(countries)]),
  ];
}

function done(action: PiiAction): DoneAction | undefined {
  return action === "off" ? undefined : action;
}

function kindOf(id: string, action: DoneAction) {
  return { id, label: id.replaceAll("-", "_").toUpperCase(), action };
}

function phonesOf(countries: readonly string[]): Recogniser {
  const plans = loadPhonePlans();
  const known = countries.map((country) => {
    const plan = plans.ofCountry.get(country);
    if (plan !== undefined) return plan;
    throw new GatewayError("resource.invalid", `No phone numbers are known of the country ${country}.`);
  });
  return phoneRecogniser(plans, known);
}
