// The device's key, and what it signs: a proof for each request (RFC 9449), and what its owner was shown.

/** The public half, as JSON (RFC 7517). */
export interface PublicKey {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
}

/** A key of P-256 that signs and never leaves. Apps with a Secure Enclave or a Keystore bring one of theirs. */
export interface Key {
  readonly publicKey: PublicKey;
  /** ES256: SHA-256, and r and s as 64 bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** What a payer was shown and confirms. */
export interface Said {
  readonly amount: string;
  readonly asset: string;
  readonly intent_id: string;
  readonly nonce: string;
  readonly payee: string;
  /** Of a mandate. */
  readonly per_payment?: string;
  /** Of a mandate. */
  readonly period?: string;
}

const ES256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

const utf8 = (text: string) => new TextEncoder().encode(text);

/** Base64url without padding. */
export function encode(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** A pair that cannot be exported. Keep it in IndexedDB, which stores it as it is. */
export function drawPair(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ES256, false, ["sign", "verify"]);
}

/** A key of WebCrypto's. */
export async function webKey(pair: CryptoKeyPair): Promise<Key> {
  const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  if (x === undefined || y === undefined) throw new TypeError("the key is not of P-256");
  return {
    publicKey: { kty: "EC", crv: "P-256", x, y },
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign(ES256, pair.privateKey, bytes as BufferSource)),
  };
}

/** RFC 8785 of what is confirmed: members in their order, and strings as JSON.stringify writes them. */
export function canonical({ amount, asset, intent_id, nonce, payee, per_payment, period }: Said): string {
  // What is not there is left out.
  return JSON.stringify({ amount, asset, intent_id, nonce, payee, per_payment, period });
}

/** A device of somebody's. */
export class Device {
  /** How much the server's clock is ahead of ours. A telephone's may be minutes off, and proofs are good for one. */
  skewMs = 0;

  constructor(readonly key: Key) {}

  /** A proof for one request. It is used up with it: a repetition needs another. */
  async proof(method: string, address: string, token?: string): Promise<string> {
    const header = { typ: "dpop+jwt", alg: "ES256", jwk: this.key.publicKey };
    const iat = Math.floor((Date.now() + this.skewMs) / 1000);
    const claims = { jti: crypto.randomUUID(), htm: method, htu: address, iat };
    const ath = token === undefined ? {} : { ath: encode(await digest(token)) };
    const text = `${part(header)}.${part({ ...claims, ...ath })}`;
    return `${text}.${encode(await this.key.sign(utf8(text)))}`;
  }

  /** The signature that a confirmation carries. */
  async confirm(said: Said): Promise<string> {
    return encode(await this.key.sign(utf8(canonical(said))));
  }

  /** The signature that another contact takes: RFC 8785 of the two. */
  async confirmContact(contact: string, intent_id: string): Promise<string> {
    return encode(await this.key.sign(utf8(JSON.stringify({ contact, intent_id }))));
  }

  /** By which the list of devices names this one (RFC 7638). */
  async thumbprint(): Promise<string> {
    const { crv, kty, x, y } = this.key.publicKey;
    return encode(await digest(JSON.stringify({ crv, kty, x, y })));
  }
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text)));
}

function part(value: object): string {
  return encode(utf8(JSON.stringify(value)));
}
