// A receipt, believed without asking whoever gave it: only their published keys are needed, and those stay for ever.

import { VintemError } from "./problem.js";

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

/** A JSON Web Key Set, as `/.well-known/jwks.json` has it. */
export interface KeySet {
  readonly keys: readonly (JsonWebKey & { kid?: string })[];
}

const TYPE = "vintem-receipt+jwt";

/** The claims of a receipt that is signed by one of the keys; throws where it is not. */
export async function verifyReceipt(keys: KeySet, signed: string): Promise<Claims> {
  const [head = "", body = "", signature = "", ...rest] = signed.split(".");
  const { typ, alg, kid } = JSON.parse(text(head)) as { typ?: string; alg?: string; kid?: string };
  const known = keys.keys.find((key) => key.kid === kid && key.kty === "OKP" && key.crv === "Ed25519");
  // The type keeps an access token, which is signed by a key of the same set, from being taken for a receipt.
  if (rest.length > 0 || typ !== TYPE || alg !== "EdDSA" || known === undefined) {
    throw new VintemError("this is no receipt, or its key is not in the set");
  }
  const { kty, crv, x } = known;
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x } as JsonWebKey, { name: "Ed25519" }, false, ["verify"]);
  const said = new TextEncoder().encode(`${head}.${body}`);
  const is = await crypto.subtle.verify({ name: "Ed25519" }, key, bytes(signature), said);
  if (!is) throw new VintemError("the receipt was altered");
  return JSON.parse(text(body)) as Claims;
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const plain = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(base64url: string): string {
  return new TextDecoder().decode(bytes(base64url));
}
