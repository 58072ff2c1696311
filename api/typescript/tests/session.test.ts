// A session refreshes once, keeps what it gets, and knows when it is over.

import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { Device, drawPair, webKey } from "../src/device.js";
import { json, type Request, Wire } from "../src/http.js";
import { SignedOut } from "../src/problem.js";
import { Session, type Storage, type Tokens } from "../src/session.js";

const ACCOUNT: Request = { method: "GET", path: "/v1/account" };

let server: Server;
let session: Session;
let device: Device;
let kept: string | undefined;
/** The generation whose access token is good. */
let good = 0;
let refreshes = 0;
let loses = 0;
let isOver = false;
/** How far the server's clock is ahead. */
let aheadMs = 0;

const storage: Storage = {
  load: async () => kept,
  save: async (token) => void (kept = token),
  clear: async () => void (kept = undefined),
};

function tokens(generation: number): Tokens {
  const id = "0197-1";
  const said = { access_token: `at-${generation}`, refresh_token: `rt-${generation}`, token_type: "DPoP", expires_in: 600 };
  return { ...said, session_id: id, device_id: id, citizen_id: id, account_id: id };
}

function refuse(response: ServerResponse, code: string): void {
  const problem = { type: "", title: code, status: 401, detail: "", instance: "", code, retryable: true, outcome: "none", trace_id: "", errors: [] };
  const date = new Date(Date.now() + aheadMs).toUTCString();
  response.writeHead(401, { "content-type": "application/problem+json", date });
  response.end(JSON.stringify({ ...problem, retryable: code === "token-expired" || code === "dpop-invalid" }));
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const claims = JSON.parse(Buffer.from(String(request.headers["dpop"]).split(".")[1] ?? "", "base64url").toString()) as { iat: number };
  if (Math.abs(claims.iat * 1000 - Date.now() - aheadMs) > 60_000) return refuse(response, "dpop-invalid");
  response.setHeader("content-type", "application/json");
  if (request.url === "/v1/sessions/refresh") {
    refreshes++;
    if (isOver) return refuse(response, "token-reuse-detected");
    const { refresh_token } = JSON.parse(body) as { refresh_token: string };
    // The one before gets the same successor again, as within ten seconds.
    if (refresh_token === `rt-${good}`) good++;
    else if (refresh_token !== `rt-${good - 1}`) return refuse(response, "token-reuse-detected");
    if (loses-- > 0) return void request.socket.destroy();
    return void response.end(JSON.stringify(tokens(good)));
  }
  if (request.headers.authorization !== `DPoP at-${good}`) return refuse(response, "token-expired");
  response.end('{"id":"a-1"}');
}

before(async () => {
  server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resume) => server.listen(0, "127.0.0.1", resume));
  device = new Device(await webKey(await drawPair()));
});

after(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(async () => {
  const { port } = server.address() as AddressInfo;
  [good, refreshes, loses, isOver, aheadMs, device.skewMs] = [1, 0, 0, false, 0, 0];
  session = new Session(new Wire({ baseUrl: `http://127.0.0.1:${port}` }, device), storage);
  await session.open(tokens(1));
});

test("many requests with a token that has ended refresh it once", async () => {
  good = 2;
  kept = "rt-2";
  const answers = await Promise.all(Array.from({ length: 8 }, () => session.send(ACCOUNT)));
  assert.deepEqual(answers.map(json), Array(8).fill({ id: "a-1" }));
  assert.deepEqual([refreshes, kept], [1, "rt-3"]);
});

test("a refresh whose answer got lost is asked for again, and is the same", async () => {
  loses = 1;
  assert.equal((await session.refresh()).access_token, "at-2");
  assert.deepEqual([refreshes, kept], [2, "rt-2"]);
});

test("an app that starts again goes on with what it kept", async () => {
  const { port } = server.address() as AddressInfo;
  const again = new Session(new Wire({ baseUrl: `http://127.0.0.1:${port}` }, device), storage);
  assert.deepEqual(json(await again.send(ACCOUNT)), { id: "a-1" });
  assert.equal(refreshes, 1);
});

test("a session that is over is forgotten", async () => {
  isOver = true;
  await assert.rejects(session.refresh(), SignedOut);
  assert.equal(kept, undefined);
  await assert.rejects(session.send(ACCOUNT), SignedOut);
  assert.equal(refreshes, 1);
});

test("a clock that is an hour off is set by the server's", async () => {
  aheadMs = 3_600_000;
  assert.deepEqual(json(await session.send(ACCOUNT)), { id: "a-1" });
  assert.ok(Math.abs(device.skewMs - aheadMs) < 5_000);
});
