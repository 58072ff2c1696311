// Signed texts, believed without asking whoever gave them: only the published keys are needed.

import { VintemError } from "./problem.js";

/** A JSON Web Key Set, as `/.well-known/jwks.json` has it. */
export interface KeySet {
  readonly keys: readonly (JsonWebKey & { kid?: string })[];
}

/** What a text of a type says that is signed by one of the keys; throws where it is not. `what` is how people call it. */
export async function verified(keys: KeySet, signed: string, type: string, what: string): Promise<unknown> {
  const [head = "", body = "", signature = "", ...rest] = signed.split(".");
  const { typ, alg, kid } = JSON.parse(text(head)) as { typ?: string; alg?: string; kid?: string };
  const known = keys.keys.find((key) => key.kid === kid && key.kty === "OKP" && key.crv === "Ed25519");
  // The type keeps what else is signed by keys of the same set, as access tokens are, from being taken for it.
  if (rest.length > 0 || typ !== type || alg !== "EdDSA" || known === undefined) {
    throw new VintemError(`this is no ${what}, or its key is not in the set`);
  }
  const { kty, crv, x } = known;
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x } as JsonWebKey, { name: "Ed25519" }, false, ["verify"]);
  const said = new TextEncoder().encode(`${head}.${body}`);
  const is = await crypto.subtle.verify({ name: "Ed25519" }, key, bytes(signature), said);
  if (!is) throw new VintemError(`the ${what} was altered`);
  return JSON.parse(text(body));
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  const plain = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(base64url: string): string {
  return new TextDecoder().decode(bytes(base64url));
}
