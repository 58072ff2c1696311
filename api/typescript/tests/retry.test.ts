// A write happens once: against a server of the test's that loses answers after it has done the work.

import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { Device, drawPair, webKey } from "../src/device.js";
import { json, type Options, type Request, Wire } from "../src/http.js";
import { Refused, Unavailable, Undecided } from "../src/problem.js";
import { read, say, write } from "../src/retry.js";

/** What the server does with the next write. */
type Mood = "answer" | "lose-before" | "lose-after" | "hang-after" | "unknown-after" | "broken-after" | "in-flight" | "overloaded" | "limited" | "refuse" | "forbid" | "gateway";

const KEY = "intent 1/2?";

let server: Server;
let wire: Wire;
let options: Options;
/** Moods that come first; then it answers. */
let moods: Mood[] = [];
/** Effects by key: what is to be there once. */
let effects = new Map<string, number>();
let answers = new Map<string, { status: number; body: unknown }>();
let asked = 0;
let attempts = 0;
let proofs = new Set<string>();
/** Whether the server tells what became of a key. */
let remembers = true;

function problem(status: number, code: string, outcome: "none" | "unknown", retryable: boolean): object {
  return { type: "", title: code, status, detail: "", instance: "", code, retryable, outcome, trace_id: "", errors: [] };
}

function respond(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const type = status < 400 ? "application/json" : "application/problem+json";
  response.writeHead(status, { "content-type": type, ...headers }).end(JSON.stringify(body));
}

/** Does the work of a key, once, as the product does. */
function work(key: string): { status: number; body: unknown } {
  const known = answers.get(key);
  if (known !== undefined) return known;
  effects.set(key, (effects.get(key) ?? 0) + 1);
  const made = { status: 201, body: { id: "t-1" } };
  answers.set(key, made);
  return made;
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const proof = String(request.headers["dpop"]);
  assert.ok(!proofs.has(proof), "a proof was used twice");
  proofs.add(proof);
  for await (const _ of request);
  if (request.url?.startsWith("/v1/requests/")) {
    asked++;
    const key = decodeURIComponent(request.url.slice("/v1/requests/".length));
    const found = remembers ? answers.get(key) : undefined;
    if (found === undefined) return respond(response, 404, problem(404, "not-found", "unknown", false));
    return respond(response, 200, { key, status: found.status, code: null, position: 1, body: found.body });
  }
  attempts++;
  const key = String(request.headers["idempotency-key"]);
  const mood = moods.shift() ?? "answer";
  switch (mood) {
    case "lose-before":
      return void request.socket.destroy();
    case "lose-after":
      work(key);
      return void request.socket.destroy();
    case "hang-after":
      work(key);
      return;
    case "unknown-after":
      work(key);
      return respond(response, 504, problem(504, "outcome-unknown", "unknown", true), { "retry-after": "0" });
    case "broken-after":
      work(key);
      return respond(response, 500, problem(500, "internal-error", "unknown", true));
    case "gateway":
      work(key);
      response.writeHead(502, { "content-type": "text/html" }).end("<h1>Bad Gateway</h1>");
      return;
    case "in-flight":
      return respond(response, 409, problem(409, "request-in-flight", "unknown", true), { "retry-after": "0" });
    case "overloaded":
      return respond(response, 503, problem(503, "overloaded", "none", true), { "retry-after": "0" });
    case "limited":
      return respond(response, 429, problem(429, "rate-limited", "none", true), { "retry-after": "1" });
    case "refuse":
      answers.set(key, { status: 422, body: problem(422, "insufficient-funds", "none", false) });
      return respond(response, 422, answers.get(key)?.body);
    case "forbid":
      return respond(response, 401, problem(401, "unauthenticated", "none", false));
    case "answer": {
      const { status, body } = work(key);
      return respond(response, status, body);
    }
  }
}

before(async () => {
  server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resume) => server.listen(0, "127.0.0.1", resume));
  const { port } = server.address() as AddressInfo;
  options = { baseUrl: `http://127.0.0.1:${port}`, attemptMs: 1_500, deadlineMs: 20_000 };
  wire = new Wire(options, new Device(await webKey(await drawPair())));
});

after(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  [moods, effects, answers, proofs, asked, attempts, remembers] = [[], new Map(), new Map(), new Set(), 0, 0, true];
});

function pay(first: Mood[], deadlineMs = 20_000): Promise<unknown> {
  moods = first;
  const request: Request = { method: "POST", path: "/v1/transfers", body: { amount: "1.00" }, key: KEY };
  const ask: Request = { method: "GET", path: `/v1/requests/${encodeURIComponent(KEY)}` };
  const sent = { key: KEY, attempt: () => wire.send(request), ask: () => wire.send(ask) };
  return write({ ...options, deadlineMs }, sent).then(json);
}

for (const mood of ["lose-after", "hang-after", "unknown-after", "broken-after", "gateway"] as const) {
  test(`${mood}: the answer is recovered by its key, and the work is not asked for again`, async () => {
    assert.deepEqual(await pay([mood]), { id: "t-1" });
    assert.deepEqual([effects.get(KEY), attempts, asked], [1, 1, 1]);
  });

  test(`${mood}: where the key has no answer yet, the same request goes again under it`, async () => {
    remembers = false;
    assert.deepEqual(await pay([mood, mood]), { id: "t-1" });
    assert.deepEqual([effects.get(KEY), attempts, asked], [1, 3, 2]);
  });
}

test("what never arrived is sent again, and happens once", async () => {
  assert.deepEqual(await pay(["lose-before", "lose-before"]), { id: "t-1" });
  assert.deepEqual([effects.get(KEY), attempts], [1, 3]);
});

test("a request that is in flight is asked for, and sent again", async () => {
  assert.deepEqual(await pay(["in-flight", "in-flight"]), { id: "t-1" });
  assert.deepEqual([effects.get(KEY), attempts, asked], [1, 3, 2]);
});

test("what certainly did nothing is sent again without a question", async () => {
  assert.deepEqual(await pay(["overloaded", "overloaded"]), { id: "t-1" });
  assert.deepEqual([effects.get(KEY), attempts, asked], [1, 3, 0]);
});

test("after a lost attempt an overloaded server does not close the question", async () => {
  remembers = false;
  assert.deepEqual(await pay(["lose-after", "overloaded"]), { id: "t-1" });
  assert.deepEqual([effects.get(KEY), attempts, asked], [1, 3, 2]);
});

test("who asks too often waits as long as they are told", async () => {
  const began = Date.now();
  assert.deepEqual(await pay(["limited"]), { id: "t-1" });
  assert.ok(Date.now() - began >= 990);
  assert.equal(effects.get(KEY), 1);
});

test("a refusal is an answer, and ends it at once", async () => {
  await assert.rejects(pay(["refuse"]), (error) => error instanceof Refused && error.code === "insufficient-funds");
  assert.deepEqual([effects.get(KEY), attempts, asked], [undefined, 1, 0]);
});

test("a refusal that was lost is recovered as one", async () => {
  answers.set(KEY, { status: 422, body: problem(422, "insufficient-funds", "none", false) });
  await assert.rejects(pay(["lose-before"]), (error) => error instanceof Refused && error.code === "insufficient-funds");
});

test("who may not ask any more does not take that for the end of a lost attempt", async () => {
  remembers = false;
  await assert.rejects(pay(["lose-after", "forbid"]), (error) => error instanceof Undecided && error.key === KEY);
  await assert.rejects(pay(["forbid"]), (error) => error instanceof Refused);
});

test("at the deadline it says whether it may have happened", async () => {
  remembers = false;
  await assert.rejects(pay(Array(50).fill("lose-after"), 1_000), (error) => error instanceof Undecided && error.key === KEY);
  assert.deepEqual(effects.get(KEY), 1);
  await assert.rejects(pay(Array(50).fill("overloaded"), 1_000), Unavailable);
  // Taken up again under its key, it is what it was.
  assert.deepEqual(await pay([]), { id: "t-1" });
  assert.equal(effects.get(KEY), 1);
});

test("a read is repeated, and what may be said once is not", async () => {
  moods = ["lose-before", "broken-after", "overloaded"];
  const request: Request = { method: "GET", path: "/v1/account" };
  assert.deepEqual(json(await read(options, () => wire.send(request))), { id: "t-1" });
  assert.equal(attempts, 4);
  moods = ["overloaded", "lose-before"];
  await assert.rejects(say(options, () => wire.send(request)), Unavailable);
  assert.equal(attempts, 6);
});
