// A session on a device: its tokens, refreshed before they end, one refresh at a time.

import { type Answer, json, problem, type Request, type Wire } from "./http.js";
import { type Code, Refused, SignedOut } from "./problem.js";
import { read } from "./retry.js";
import type { components } from "./schema.js";

export type Tokens = components["schemas"]["CitizenTokens"];

/** Where the app keeps the refresh token: beside the device's key, and never in a backup. */
export interface Storage {
  load(): Promise<string | undefined>;
  /** Has to be done when it resolves: the token before is used up. */
  save(token: string): Promise<void>;
  clear(): Promise<void>;
}

const MARGIN_MS = 30_000;
/** A refresh whose answer got lost is answered again for ten seconds, so an attempt must end well before. */
const REFRESH_MS = 3_000;
/** With these a refresh says that there is no session any more. */
const OVER: readonly Code[] = ["unauthenticated", "token-reuse-detected"];

export class Session {
  private tokens: Tokens | undefined;
  private endsAt = 0;
  private refreshing: Promise<Tokens> | undefined;

  constructor(private readonly wire: Wire, private readonly storage: Storage) {}

  /** Who is signed in. */
  get current(): Tokens | undefined {
    return this.tokens;
  }

  /** Takes over what a sign-in answered. */
  async open(tokens: Tokens): Promise<Tokens> {
    await this.storage.save(tokens.refresh_token);
    this.tokens = tokens;
    this.endsAt = Date.now() + tokens.expires_in * 1000 - MARGIN_MS;
    return tokens;
  }

  /** Forgets everything. */
  async close(): Promise<void> {
    this.tokens = undefined;
    await this.storage.clear();
  }

  /** The next tokens. Whoever asks meanwhile gets the same. */
  refresh(): Promise<Tokens> {
    this.refreshing ??= this.renew().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  /** Sends a request of the session's. A token that has ended, or a clock that is wrong, costs one more turn. */
  async send(request: Request): Promise<Answer> {
    const tokens = await this.fresh();
    const answer = await this.timed(request, tokens.access_token);
    if (problem(answer)?.code !== "token-expired") return answer;
    const next = this.tokens === tokens ? await this.refresh() : await this.fresh();
    return this.timed(request, next.access_token);
  }

  /** Sends a request of a device that has no session yet. */
  knock(request: Request): Promise<Answer> {
    return this.timed(request);
  }

  /** Tokens that are good for a while. */
  async fresh(): Promise<Tokens> {
    const { tokens } = this;
    return tokens !== undefined && Date.now() < this.endsAt ? tokens : this.refresh();
  }

  /** Sends; sets our clock by the server's, once, when a proof is refused that may have been too old. */
  private async timed(request: Request, token?: string): Promise<Answer> {
    const answer = await this.wire.send(request, token);
    const date = Date.parse(answer.headers.get("date") ?? "");
    if (problem(answer)?.code !== "dpop-invalid" || Number.isNaN(date)) return answer;
    this.wire.device.skewMs = date - Date.now();
    return this.wire.send(request, token);
  }

  private async renew(): Promise<Tokens> {
    const refresh_token = await this.storage.load();
    if (refresh_token === undefined) throw new SignedOut("nobody is signed in");
    const request: Request = { method: "POST", path: "/v1/sessions/refresh", body: { refresh_token } };
    const hurried = { ...this.wire.options, attemptMs: REFRESH_MS };
    try {
      const answer = await read(hurried, () => this.timed(request));
      return await this.open(json(answer) as Tokens);
    } catch (error) {
      // Used before, ended, or of another device: there is no way on from here but a sign-in.
      if (!(error instanceof Refused) || !OVER.includes(error.code)) throw error;
      await this.close();
      throw new SignedOut(error.message, { cause: error });
    }
  }
}
