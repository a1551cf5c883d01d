import type { Recogniser } from "../recogniser.ts";
import { arCuit } from "./ar-cuit.ts";
import { atSvnr } from "./at-svnr.ts";
import { auMedicare } from "./au-medicare.ts";
import { auTfn } from "./au-tfn.ts";
import { beRijksregister } from "./be-rijksregister.ts";
import { bgEgn } from "./bg-egn.ts";
import { brCpf } from "./br-cpf.ts";
import { caSin } from "./ca-sin.ts";
import { chAhv } from "./ch-ahv.ts";
import { clRut } from "./cl-rut.ts";
import { cnResidentId } from "./cn-resident-id.ts";
import { czRodneCislo } from "./cz-rodne-cislo.ts";
import { deSozialversicherung } from "./de-sozialversicherung.ts";
import { deSteuerId } from "./de-steuer-id.ts";
import { dkCpr } from "./dk-cpr.ts";
import { esDni } from "./es-dni.ts";
import { fiHetu } from "./fi-hetu.ts";
import { frNir } from "./fr-nir.ts";
import { iePps } from "./ie-pps.ts";
import { ilId } from "./il-id.ts";
import { inAadhaar } from "./in-aadhaar.ts";
import { inPan } from "./in-pan.ts";
import { itCodiceFiscale } from "./it-codice-fiscale.ts";
import { jpMyNumber } from "./jp-my-number.ts";
import { krRrn } from "./kr-rrn.ts";
import { mxCurp } from "./mx-curp.ts";
import { nlBsn } from "./nl-bsn.ts";
import { noFodselsnummer } from "./no-fodselsnummer.ts";
import { plPesel } from "./pl-pesel.ts";
import { ptNif } from "./pt-nif.ts";
import { roCnp } from "./ro-cnp.ts";
import { sePersonnummer } from "./se-personnummer.ts";
import { sgNric } from "./sg-nric.ts";
import { trKimlik } from "./tr-kimlik.ts";
import { ukNhs } from "./uk-nhs.ts";
import { ukNino } from "./uk-nino.ts";
import { usItin } from "./us-itin.ts";
import { usSsn } from "./us-ssn.ts";
import { zaId } from "./za-id.ts";

/** The numbers by which states know people. Where a text could be several of them, it is the first: what words must name stands before the rest. */
export const nationalIds: readonly Recogniser[] = [
  ukNhs,
  nlBsn,
  auTfn,
  auMedicare,
  ptNif,
  atSvnr,
  bgEgn,
  jpMyNumber,
  iePps,
  ilId,
  cnResidentId,
  itCodiceFiscale,
  mxCurp,
  frNir,
  deSozialversicherung,
  chAhv,
  krRrn,
  zaId,
  roCnp,
  usSsn,
  usItin,
  ukNino,
  brCpf,
  deSteuerId,
  beRijksregister,
  noFodselsnummer,
  trKimlik,
  plPesel,
  arCuit,
  inAadhaar,
  inPan,
  esDni,
  sgNric,
  clRut,
  fiHetu,
  sePersonnummer,
  czRodneCislo,
  dkCpr,
  caSin,
];
