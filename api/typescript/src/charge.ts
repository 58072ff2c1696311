// What a terminal asks for, believed because it is signed and not because a code says so: a sticker with another's code is a good code.

import { type KeySet, verified } from "./jws.js";
import { VintemError } from "./problem.js";

/** What is signed of a charge. */
export interface ChargeClaims {
  readonly iss: string;
  readonly iat: number;
  readonly exp: number;
  readonly charge_id: string;
  readonly payee: { readonly service_id: string; readonly label: string; readonly provider: string; readonly cnpj: string };
  /** What the terminal is called, where it has a name. */
  readonly terminal?: string;
  readonly amount: string;
  readonly asset: string;
  readonly nonce: string;
  readonly expires_at: string;
}

/** What a charge's location answered, if the institution has signed it and it holds now; throws where it does not. */
export async function verifyCharge(keys: KeySet, signed: string, issuer: string, now = Date.now()): Promise<ChargeClaims> {
  const claims = (await verified(keys, signed, "charge+jwt", "charge")) as ChargeClaims;
  if (claims.iss !== issuer) throw new VintemError("the charge is of somebody else");
  if (claims.exp * 1000 <= now) throw new VintemError("the charge is over");
  return claims;
}
