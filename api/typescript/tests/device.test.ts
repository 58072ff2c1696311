// What the device signs is what others check: with WebCrypto alone, and the texts of the RFCs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { canonical, Device, drawPair, encode, webKey } from "../src/device.js";
import { messages } from "../src/events.js";

const ES256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const decode = (text: string) => Buffer.from(text, "base64url");
const claims = (proof: string, part: number) => JSON.parse(decode(proof.split(".")[part] ?? "").toString()) as Record<string, unknown>;

test("a proof names the request, the token and the key that signed it", async () => {
  const pair = await drawPair();
  const device = new Device(await webKey(pair));
  const proof = await device.proof("POST", "https://vintem.example/v1/transfers", "token");
  const [header, said] = [claims(proof, 0), claims(proof, 1)];
  assert.deepEqual([header["typ"], header["alg"], said["htm"], said["htu"]], ["dpop+jwt", "ES256", "POST", "https://vintem.example/v1/transfers"]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("token"));
  assert.equal(said["ath"], encode(new Uint8Array(digest)));
  const jwk = header["jwk"] as JsonWebKey;
  assert.equal(jwk.d, undefined);
  const key = await crypto.subtle.importKey("jwk", jwk, ES256, false, ["verify"]);
  const [head, body, signature] = proof.split(".");
  const isSigned = await crypto.subtle.verify(ES256, key, decode(signature ?? ""), new TextEncoder().encode(`${head}.${body}`));
  assert.ok(isSigned);
  await assert.rejects(crypto.subtle.exportKey("jwk", pair.privateKey), "the private half never leaves");
  assert.notEqual(await device.proof("GET", "https://vintem.example/"), await device.proof("GET", "https://vintem.example/"));
});

test("a clock that is wrong is set by the server's", async () => {
  const device = new Device(await webKey(await drawPair()));
  device.skewMs = 3_600_000;
  const iat = Number(claims(await device.proof("GET", "https://vintem.example/"), 1)["iat"]);
  assert.ok(Math.abs(iat - Date.now() / 1000 - 3600) < 5);
});

test("what is confirmed is canonical, whatever order it came in", () => {
  const said = { payee: "p", nonce: "n", intent_id: "i", asset: "BRL", amount: "12.50" };
  assert.equal(canonical(said), '{"amount":"12.50","asset":"BRL","intent_id":"i","nonce":"n","payee":"p"}');
  const mandate = { period: "week", per_payment: "6.00", ...said };
  assert.equal(canonical(mandate), '{"amount":"12.50","asset":"BRL","intent_id":"i","nonce":"n","payee":"p","per_payment":"6.00","period":"week"}');
});

test("a stream is read however it is cut", async () => {
  const text = 'id: 7\n\n: still there\n\nid: 8\nevent: transaction.posted\ndata: {"amount":"1,00 é"}\n\nid: 9\nda';
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 3, 1000]) {
    const cut = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
        controller.close();
      },
    });
    const heard = [];
    for await (const message of messages(cut)) heard.push(message);
    assert.deepEqual(heard, [{ id: "7" }, { id: "8", event: "transaction.posted", data: '{"amount":"1,00 é"}' }]);
  }
});
