// What is signed of a charge is believed, and nothing that looks like it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChargeClaims, verifyCharge } from "../src/charge.js";

const ISSUER = "https://vintem.example";
const NOW = 1_800_000_000_000;
const claims: ChargeClaims = {
  iss: ISSUER,
  iat: NOW / 1000,
  exp: NOW / 1000 + 300,
  charge_id: "c",
  payee: { service_id: "s", label: "Ônibus Centro", provider: "Viação Aurora Ltda.", cnpj: "11.222.333/0001-81" },
  terminal: "t",
  amount: "12.50",
  asset: "BRL",
  nonce: "n",
  expires_at: "2027-01-15T08:05:00.000000Z",
};

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

async function signer() {
  const pair = (await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"])) as CryptoKeyPair;
  const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const keys = { keys: [{ ...jwk, kid: "k" }] };
  const sign = async (says: unknown, header: object = {}) => {
    const said = `${encode({ alg: "EdDSA", kid: "k", typ: "charge+jwt", ...header })}.${encode(says)}`;
    const signature = await crypto.subtle.sign({ name: "Ed25519" }, pair.privateKey, new TextEncoder().encode(said));
    return `${said}.${Buffer.from(signature).toString("base64url")}`;
  };
  return { keys, sign };
}

test("a charge is what the institution has signed", async () => {
  const { keys, sign } = await signer();
  assert.deepEqual(await verifyCharge(keys, await sign(claims), ISSUER, NOW), claims);
});

test("what was altered, is of another type or key, or is over, is no charge", async () => {
  const [{ keys, sign }, other] = [await signer(), await signer()];
  const good = await sign(claims);
  const [head, , signature] = good.split(".");
  for (const bad of [
    `${head}.${encode({ ...claims, amount: "1.00" })}.${signature}`,
    await sign(claims, { typ: "at+jwt" }),
    await sign(claims, { alg: "none" }),
    await sign(claims, { kid: "another" }),
    await other.sign(claims),
    await sign({ ...claims, iss: "https://elsewhere.example" }),
    `${good}.x`,
    "hello",
  ]) {
    await assert.rejects(verifyCharge(keys, bad, ISSUER, NOW));
  }
  await assert.rejects(verifyCharge(keys, good, ISSUER, NOW + 300_000));
});
