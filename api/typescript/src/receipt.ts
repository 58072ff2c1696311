// A receipt, believed without asking whoever gave it: the keys of receipts stay published for ever.

import { type KeySet, verified } from "./jws.js";

/** What is signed: ids, amounts and times, and nobody's name. */
export interface Claims {
  readonly iss: string;
  readonly tenant: string;
  readonly iat: number;
  readonly code: string;
  readonly transaction: string;
  readonly position: number;
  readonly recorded_at: string;
  readonly effective_at: string;
  readonly legs: readonly { account: string; direction: "debit" | "credit"; amount: string; asset: string }[];
}

/** The claims of a receipt that is signed by one of the keys; throws where it is not. */
export async function verifyReceipt(keys: KeySet, signed: string): Promise<Claims> {
  return (await verified(keys, signed, "vintem-receipt+jwt", "receipt")) as Claims;
}
