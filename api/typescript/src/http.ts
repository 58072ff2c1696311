// One request and one answer, typed by the contract. What is done about answers that do not come is in `retry.ts`.

import type { Device } from "./device.js";
import { asProblem, type Problem } from "./problem.js";
import type { paths } from "./schema.js";

/** Where the server is, and how patient the app is. */
export interface Options {
  /** Without a slash at the end. */
  readonly baseUrl: string;
  /** How the server calls itself, which proofs name; by default `baseUrl`. */
  readonly publicUrl?: string;
  /** Of titles and documents: `pt-BR` or `en`. */
  readonly language?: string;
  /** After so long an attempt counts as lost. The server's own end is 15 seconds. */
  readonly attemptMs?: number;
  /** After so long a call gives up; see `Undecided`. */
  readonly deadlineMs?: number;
  /** Told before each repetition: a good moment to show that it takes longer. */
  readonly onRepeat?: (why: string, waitMs: number) => void;
}

/** What is asked. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

type Method = "get" | "post" | "patch" | "delete";
type Json<T> = T extends { content: { "application/json": infer B } } ? B : undefined;

/** Paths that have a method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never;
}[keyof paths];

/** What an operation reads. */
export type BodyOf<P extends keyof paths, M extends Method> = paths[P][M] extends { requestBody: infer B } ? Json<B> : undefined;

/** What an operation answers when it succeeds. */
export type AnswerOf<P extends keyof paths, M extends Method> = paths[P][M] extends { responses: infer R }
  ? { [S in keyof R & (200 | 201 | 202 | 204)]: Json<R[S]> }[keyof R & (200 | 201 | 202 | 204)]
  : never;

/** The connection got lost, or nothing came in time: whether the request arrived is not known. */
export class Lost extends Error {
  override name = "Lost";
}

/** A path with its parameters in it. */
export function fill(path: string, parameters: Readonly<Record<string, string>> = {}): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parameters[name] ?? ""));
}

/** The way to the server. */
export class Wire {
  constructor(readonly options: Options, readonly device: Device) {}

  /** Sends a request with a fresh proof. The answer is read to its end, so that none is half believed. */
  async send(request: Request, token?: string): Promise<Answer> {
    const signal = AbortSignal.timeout(this.options.attemptMs ?? 20_000);
    try {
      const response = await this.open(request, token, signal);
      return { status: response.status, headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) };
    } catch (cause) {
      throw cause instanceof Lost ? cause : new Lost("no answer came", { cause });
    }
  }

  /** The same, with the answer still to be read. */
  async open(request: Request, token: string | undefined, signal: AbortSignal): Promise<Response> {
    const { baseUrl, publicUrl = baseUrl, language } = this.options;
    const { method, path, query = {}, body, key } = request;
    const pairs = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
    const search = pairs.length === 0 ? "" : `?${new URLSearchParams(pairs)}`;
    const headers = new Headers(request.headers);
    headers.set("DPoP", await this.device.proof(method, `${publicUrl}${path}`, token));
    if (token !== undefined) headers.set("Authorization", `DPoP ${token}`);
    if (language !== undefined) headers.set("Accept-Language", language);
    if (key !== undefined) headers.set("Idempotency-Key", key);
    if (body !== undefined) headers.set("Content-Type", "application/json");
    const init: RequestInit = { method, headers, signal, redirect: "error", cache: "no-store", credentials: "omit" };
    if (body !== undefined) init.body = JSON.stringify(body);
    return fetch(`${baseUrl}${path}${search}`, init).catch((cause: unknown) => {
      throw new Lost("the server was not reached", { cause });
    });
  }
}

/** The body as JSON; `undefined` where there is none. */
export function json(answer: Answer): unknown {
  if (answer.bytes.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(answer.bytes));
  } catch {
    return undefined;
  }
}

/** The problem that an answer is, if it is one. */
export function problem(answer: Answer): Problem | undefined {
  return answer.status < 400 ? undefined : asProblem(json(answer));
}
