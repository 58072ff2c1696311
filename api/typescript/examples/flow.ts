// From nothing to a payment: two people register, one pays the other, and what it leaves is checked.
//
// `tests/tests/flows/typescript.rs` runs it, and `docs/app-guide.md` takes its snippets from here. What a person would type
// is asked for on standard output, a line each, and read from standard input.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Citizen, Refused, type Shown, type Storage, verifyReceipt } from "../src/index.js";

const PASSWORD = "cinco pontes sem rio";
const PIN = "274906";

interface Person {
  readonly cpf: string;
  readonly name: string;
  readonly email: string;
}

const { URL: baseUrl = "", PUBLIC_URL: publicUrl = "", TENANT: tenant = "", FOLDER: folder = "", PEOPLE = "[]" } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Asks whoever watches; answers what they type. */
async function ask(question: string): Promise<string> {
  console.log(question);
  return (await lines.next()).value as string;
}

/** On a telephone this is the Keychain or the Keystore. */
function storageAt(path: string): Storage {
  return {
    load: () => readFile(path, "utf8").then((token) => token || undefined, () => undefined),
    save: (token) => writeFile(path, token, { mode: 0o600 }),
    clear: () => writeFile(path, ""),
  };
}

/** Whether whoever watches loses the next answer. */
let isCut = false;
/** Where an app would show that it takes longer. */
const repeats: string[] = [];

function phone(person: Person): Promise<Citizen> {
  const storage = storageAt(`${folder}/${person.cpf}.token`);
  return Citizen.create({ baseUrl, publicUrl, tenant, language: "pt-BR", storage, onRepeat: (why) => repeats.push(why) });
}

async function register(person: Person): Promise<Citizen> {
  const citizen = await phone(person);
  const sent = await citizen.register(person);
  const code = await ask(`code? ${person.email}`);
  await citizen.verifyRegistration(sent.id, { code, password: PASSWORD, pin: PIN });
  return citizen;
}

async function bringIn(citizen: Citizen, amount: string): Promise<void> {
  const topUp = await citizen.topUp({ amount, asset: "BRL" }, "simulated");
  for (let turn = 0; turn < 60; turn++) {
    const { status } = await citizen.topUpStatus(topUp.id);
    if (status === "credited") return;
    await new Promise((resume) => setTimeout(resume, 500));
  }
  assert.fail("the top-up was not credited");
}

/** Shows what is asked, and answers what is typed; the first time it is mistyped, as people do. */
async function typePin(shown: Shown): Promise<string | undefined> {
  assert.equal(shown.total.amount, shown.amount.amount);
  if (shown.wrongPins === undefined) return "908172";
  isCut = (await ask("cut!")) === "ok";
  return PIN;
}

async function pay(payer: Citizen, alias: string, amount: string): Promise<string> {
  const found = await payer.lookUp(alias);
  assert.match(found.display_name, /^Ana /);
  const order = { lookup_id: found.lookup_id, amount: { amount, asset: "BRL" }, note: "almoço" };
  const paid = await payer.transfer(order, typePin);
  assert.equal(paid.status, "completed");
  return paid.transaction;
}

async function hear(payee: Citizen, after: number, amount: string): Promise<string | undefined> {
  const patience = AbortSignal.timeout(30_000);
  for await (const event of payee.events(after, patience)) {
    if (event.kind === "transaction.posted" && event.amount === amount) return event.transaction ?? undefined;
  }
  return undefined;
}

async function checkReceipt(payee: Citizen, transaction: string, amount: string): Promise<void> {
  const keys = await payee.keys();
  const receipt = await payee.receipt(transaction);
  const claims = await verifyReceipt(keys, receipt.signed);
  assert.deepEqual([claims.transaction, claims.tenant, claims.code], [transaction, tenant, receipt.code]);
  assert.deepEqual(claims.legs.map((leg) => leg.amount), [amount, amount]);
  const [head, body, signature = ""] = receipt.signed.split(".");
  const forged = [head, body, signature.startsWith("A") ? `B${signature.slice(1)}` : `A${signature.slice(1)}`].join(".");
  await assert.rejects(verifyReceipt(keys, forged));
  const checked = await payee.checkReceipt(receipt.code);
  assert.deepEqual([checked.reversed, checked.legs[0]?.amount], ["no", { amount, asset: "BRL" }]);
}

async function run(): Promise<void> {
  const [payerIs, payeeIs] = JSON.parse(PEOPLE) as [Person, Person];
  const payer = await register(payerIs);
  const payee = await register(payeeIs);
  const { alias = "" } = await payee.addAlias("random");
  await bringIn(payer, "100.00");

  // Who listens from a position that they know misses nothing.
  const { position } = await payee.balance();
  const heard = hear(payee, position, "12.50");
  const transaction = await pay(payer, alias ?? "", "12.50");
  assert.equal(repeats.includes("lost"), isCut, "an answer was lost on the way, if somebody cut the wire");
  assert.equal(await heard, transaction, "the payee hears of it");
  const balances = await Promise.all([payer.balance(), payee.balance()]);
  assert.deepEqual(balances.map((balance) => balance.available), ["87.50", "12.50"]);

  await checkReceipt(payee, transaction, "12.50");
  await writeFile(`${folder}/statement.pdf`, await payee.statement("pdf"));
  await writeFile(`${folder}/statement.ofx`, await payee.statement("ofx"));

  const poor = await payee.lookUp(payerIs.email).then(() => undefined, (error: unknown) => error);
  assert.ok(poor instanceof Refused && poor.code === "not-found", "nobody is found by what they did not make a key");
  const out = await payer.withdraw({ amount: { amount: "7.50", asset: "BRL" } }, async () => PIN);
  assert.ok(["approved", "paid"].includes(out.status));
  const entries = await payer.entries({ direction: "out" });
  assert.deepEqual(entries.entries.map((entry) => entry.amount), ["-12.50", "-7.50"]);
  await comeBack(payer, payerIs);
  console.log("done");
}

/** An app that starts again goes on with its session; one that has lost it signs in. */
async function comeBack(before: Citizen, person: Person): Promise<void> {
  const old = before.tokens;
  const next = await before.refresh();
  assert.equal(next.session_id, old?.session_id);
  await before.signOut();
  const again = await before.signIn(person.cpf, PASSWORD);
  assert.ok("access_token" in again, "on a device of theirs nobody asks for a code");
  assert.equal((await before.changeLimits({ payment: "50.00" })).asked[0]?.amount, "50.00");
  assert.equal((await before.devices()).devices.length, 1);
  assert.ok((await before.notifications()).notifications.length > 3);
  assert.equal((await before.freeze("lost-device")).status, "frozen");
  await before.signOut();
}

await run();
process.exit(0);
