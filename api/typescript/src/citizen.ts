// A citizen on their telephone: the verbs that an app needs, each a request or two.

import { type Confirm, confirmed, type Order, type Shown } from "./confirm.js";
import { drawPair, Device, type Key, webKey } from "./device.js";
import { messages } from "./events.js";
import { type Answer, type AnswerOf, type BodyOf, fill, json, Lost, type Options, type PathOf, type Request, Wire } from "./http.js";
import { type KeySet } from "./jws.js";
import { asProblem, Refused, SignedOut, VintemError } from "./problem.js";
import { type Claims, verifyReceipt } from "./receipt.js";
import { read, say, write } from "./retry.js";
import type { components } from "./schema.js";
import { Session, type Storage, type Tokens } from "./session.js";

type Schemas = components["schemas"];
type Parameters = Readonly<Record<string, string>>;
type Query = Request["query"];

/** A code is on its way; it comes back with `id`. */
export type CodeSent = Schemas["CodeSent"];
/** Something that happened to the account. */
export type OwnEvent = Schemas["OwnEvent"];

/** Who somebody says they are; the tenant is the app's. */
export type Introduction = Omit<Schemas["RegistrationInput"], "tenant">;
/** What ends a registration or a recovery. */
export type Enrolment = Omit<Schemas["EnrolmentInput"], "tenant">;

/** What an app is given. */
export interface Setup extends Options {
  /** The institution's name. */
  readonly tenant: string;
  readonly storage: Storage;
  /** By default a new one of WebCrypto's: an app that starts again passes the one it kept. */
  readonly key?: Key;
}

/** The app's end of everything. */
export class Citizen {
  private constructor(
    readonly device: Device,
    private readonly setup: Setup,
    private readonly wire: Wire,
    private readonly session: Session,
  ) {}

  static async create(setup: Setup): Promise<Citizen> {
    const device = new Device(setup.key ?? (await webKey(await drawPair())));
    const wire = new Wire(setup, device);
    return new Citizen(device, setup, wire, new Session(wire, setup.storage));
  }

  /** Who is signed in, if anybody is. */
  get tokens(): Tokens | undefined {
    return this.session.current;
  }

  // Coming in.

  register(who: Introduction): Promise<CodeSent> {
    return this.knock("/v1/registrations", who) as Promise<CodeSent>;
  }

  /** Should the answer get lost: sign in. The code is used up, and the device is known. */
  async verifyRegistration(id: string, chosen: Enrolment): Promise<Tokens> {
    return this.session.open((await this.knock(fill("/v1/registrations/{id}/verify", { id }), chosen)) as Tokens);
  }

  /** Tokens on a device that is known; on another one a code was sent. */
  async signIn(cpf: string, password: string): Promise<Tokens | CodeSent> {
    const answered = (await this.knock("/v1/sessions", { cpf, password })) as Tokens | CodeSent;
    return "access_token" in answered ? this.session.open(answered) : answered;
  }

  async verifySignIn(id: string, code: string): Promise<Tokens> {
    return this.session.open((await this.knock(fill("/v1/sessions/{id}/verify", { id }), { code })) as Tokens);
  }

  recover(cpf: string): Promise<CodeSent> {
    return this.knock("/v1/recoveries", { cpf }) as Promise<CodeSent>;
  }

  async verifyRecovery(id: string, chosen: Enrolment): Promise<Tokens> {
    return this.session.open((await this.knock(fill("/v1/recoveries/{id}/verify", { id }), chosen)) as Tokens);
  }

  /** Goes on with a session of before, as after a start of the app. Throws `SignedOut` where there is none. */
  resume(): Promise<Tokens> {
    return this.session.fresh();
  }

  refresh(): Promise<Tokens> {
    return this.session.refresh();
  }

  /** Ends this session. */
  async signOut(): Promise<void> {
    const { session_id } = await this.session.fresh();
    await this.remove("/v1/sessions/{id}", { id: session_id });
    await this.session.close();
  }

  sessions = () => this.get("/v1/sessions");
  endSession = (id: string) => this.remove("/v1/sessions/{id}", { id });
  devices = () => this.get("/v1/devices");
  /** As when a telephone is lost: its sessions end with it. */
  removeDevice = (id: string) => this.remove("/v1/devices/{id}", { id });
  changePin = (body: Schemas["PinInput"]) => this.tell("/v1/pin", body);
  changePassword = (body: Schemas["CitizenPasswordInput"]) => this.tell("/v1/password", body);

  /** Asks to be reached elsewhere: a code goes there. Sent once. */
  async askContact(body: Schemas["ContactInput"]): Promise<Schemas["CodeSent"]> {
    return this.told("/v1/contact-changes", body) as Promise<Schemas["CodeSent"]>;
  }

  /** The code that came there, and the PIN; `contact` is what was asked for. Devices pay less for a day. */
  async changeContact(id: string, contact: string, proof: { code: string; pin: string }): Promise<Schemas["ContactChanged"]> {
    const device_signature = await this.device.confirmContact(contact, id);
    const path = fill("/v1/contact-changes/{id}/verify", { id });
    return this.told(path, { ...proof, device_signature }) as Promise<Schemas["ContactChanged"]>;
  }

  // Paying.

  aliases = () => this.get("/v1/aliases");
  addAlias = (kind: "cpf" | "phone" | "email" | "random", key?: string) => this.post("/v1/aliases", { kind }, key);
  removeAlias = (id: string) => this.remove("/v1/aliases/{id}", { id });
  /** Show the name before anything else is asked. */
  lookUp = (alias: string, kind?: "cpf" | "phone" | "email" | "random") =>
    this.question("/v1/alias-lookups", { alias, ...(kind && { kind }) });

  /** Asks for a transfer, shows what it would be, and confirms it with the PIN that `confirm` answers. */
  async transfer(order: Schemas["TransferInput"], confirm: Confirm, key?: string): Promise<Schemas["Confirmation"]> {
    const intent = key ?? crypto.randomUUID();
    const asked = await this.post("/v1/transfers", order, `${intent}.ask`);
    return this.confirmTransfer(asked, confirm, intent);
  }

  /** Confirms one that was asked for before, as after a start of the app. */
  confirmTransfer(asked: Schemas["Transfer"], confirm: Confirm, key?: string): Promise<Schemas["Confirmation"]> {
    const shown: Shown = { ...asked, asset: asked.amount.asset, purpose: "transfer" };
    return this.confirm("/v1/transfers/{id}/confirm", shown, asked, confirm, key);
  }

  /** To its payer everything; to its payee what came (`"fee" in status` tells the two apart). */
  transferStatus = (id: string) => this.get("/v1/transfers/{id}", { id });
  limits = () => this.get("/v1/limits");

  async changeLimits(body: Schemas["PayerLimitsInput"], key?: string): Promise<Schemas["LimitsAsked"]> {
    return json(await this.written({ method: "PATCH", path: "/v1/limits", body, key: key ?? crypto.randomUUID() })) as Schemas["LimitsAsked"];
  }

  topUp = (amount: Schemas["TopUpInput"]["amount"], method: string, key?: string) =>
    this.post("/v1/top-ups", { amount, method }, key);
  topUpStatus = (id: string) => this.get("/v1/top-ups/{id}", { id });

  /** As a transfer; what is signed as payee is the withdrawal itself. */
  async withdraw(order: Schemas["WithdrawalInput"], confirm: Confirm, key?: string): Promise<Schemas["Withdrawal"]> {
    const intent = key ?? crypto.randomUUID();
    const asked = await this.post("/v1/withdrawals", order, `${intent}.ask`);
    const { id, amount, nonce = "", expires_at = "" } = asked;
    if (!nonce || !expires_at) throw new VintemError("it was confirmed before: see withdrawalStatus");
    const shown: Shown = { amount, asset: amount.asset, total: amount, expires_at, purpose: "withdrawal" };
    return this.confirm("/v1/withdrawals/{id}/confirm", shown, { id, amount, nonce, payee: id }, confirm, intent);
  }

  // At a terminal.

  /** What it asks for, by the code that was scanned or typed. Show who is paid before anything else. */
  resolveCharge = (code: Schemas["ChargeCodeInput"]) => this.question("/v1/charge-resolutions", code);

  /** Confirms a charge with the PIN that `confirm` answers. */
  payCharge(asked: Schemas["ResolvedCharge"], confirm: Confirm, key?: string): Promise<Schemas["ChargeConfirmation"]> {
    const { charge_id: id, amount, nonce, expires_at, payee } = asked;
    const shown: Shown = { amount, asset: amount.asset, total: amount, expires_at, purpose: "charge" };
    return this.confirm("/v1/charges/{id}/confirm", shown, { id, amount, nonce, payee: payee.service_id }, confirm, key);
  }

  /** Pays a charge by the mandate that covers it, without a PIN. */
  async tapCharge(asked: Schemas["ResolvedCharge"], key?: string): Promise<Schemas["ChargeConfirmation"]> {
    const { charge_id, amount, nonce, payee, mandate_id } = asked;
    if (!mandate_id) throw new VintemError("no mandate covers it: see payCharge");
    const said = { ...amount, intent_id: charge_id, nonce, payee: payee.service_id };
    const body = { mandate: mandate_id, device_signature: await this.device.confirm(said) };
    const path = fill("/v1/charges/{id}/confirm", { id: charge_id });
    return json(await this.written({ method: "POST", path, body, key: key ?? crypto.randomUUID() })) as Schemas["ChargeConfirmation"];
  }

  chargeStatus = (id: string) => this.get("/v1/charges/{id}", { id });

  /** What is signed at a code's location, for `verifyCharge`; without a session. */
  async locateCharge(id: string): Promise<string> {
    const request = { method: "GET", path: fill("/v1/charge-locations/{id}", { id }) };
    return new TextDecoder().decode((await read(this.wire.options, () => this.session.knock(request))).bytes);
  }

  /** Asks what a mandate would allow, shows it, and consents with the PIN that `confirm` answers. */
  async requestMandate(order: Schemas["MandateInput"], confirm: Confirm, key?: string): Promise<Schemas["MandateConsent"]> {
    const intent = key ?? crypto.randomUUID();
    const asked = await this.post("/v1/mandates", order, `${intent}.ask`);
    const { id, cap, per_payment, period, service_id, nonce = "", expires_at = "" } = asked;
    if (!nonce || !expires_at) throw new VintemError("it was confirmed before: see mandates");
    const shown: Shown = { amount: cap, asset: cap.asset, total: cap, expires_at, purpose: "mandate" };
    const most = per_payment ? { per_payment: per_payment.amount } : {};
    return this.confirm("/v1/mandates/{id}/confirm", shown, { id, amount: cap, nonce, payee: service_id, ...most, period }, confirm, intent);
  }

  mandates = () => this.get("/v1/mandates");
  revokeMandate = (id: string) => this.remove("/v1/mandates/{id}", { id });

  withdrawalStatus = (id: string) => this.get("/v1/withdrawals/{id}", { id });

  // Looking.

  account = () => this.get("/v1/account");
  balance = () => this.get("/v1/account/balance");
  entries = (query?: Query) => this.get("/v1/account/entries", {}, query);
  notifications = (query?: Query) => this.get("/v1/notifications", {}, query);
  receipt = (transaction: string) => this.get("/v1/account/transactions/{id}/receipt", { id: transaction });
  /** What is true of anybody's receipt now; without a session. */
  checkReceipt = async (code: string) =>
    json(await read(this.wire.options, () => this.session.knock({ method: "GET", path: fill("/v1/receipts/{code}", { code }) }))) as Schemas["CheckedReceipt"];

  /** The published keys. Keep them: receipts are verified with them where there is no network. */
  async keys(): Promise<KeySet> {
    const path = "/.well-known/jwks.json";
    return json(await read(this.wire.options, () => this.session.knock({ method: "GET", path }))) as KeySet;
  }

  verifyReceipt = (keys: KeySet, signed: string): Promise<Claims> => verifyReceipt(keys, signed);

  /** A file's bytes. */
  async statement(format: "csv" | "ofx" | "pdf", days: { from?: string; to?: string } = {}): Promise<Uint8Array> {
    const request = { method: "GET", path: "/v1/account/statement", query: { format, ...days } };
    return (await read(this.wire.options, () => this.session.send(request))).bytes;
  }

  /** What happens from now on, or since a position, for as long as somebody listens. Nothing is left out between two streams. */
  async *events(after?: number, signal: AbortSignal = new AbortController().signal): AsyncGenerator<OwnEvent> {
    let last = after?.toString();
    for (let failures = 0; !signal.aborted; ) {
      try {
        const stream = await this.listen(last, signal);
        failures = 0;
        for await (const message of messages(stream)) {
          last = message.id ?? last;
          if (message.data !== undefined) yield JSON.parse(message.data) as OwnEvent;
        }
      } catch (error) {
        if (signal.aborted) return;
        // A session that has ended is a matter for the app; a stream that has broken off is not.
        if (error instanceof SignedOut || error instanceof Refused) throw error;
      }
      const wait = Math.min(30_000, 250 * 2 ** failures++) * (0.5 + Math.random() / 2);
      await new Promise((resume) => setTimeout(resume, wait));
    }
  }

  /** What became of a write under a key. That there is nothing proves nothing. */
  request = (key: string) => this.get("/v1/requests/{key}", { key });

  // Stopping.

  freeze = (reason?: Schemas["FreezeReason"], key?: string) => this.post("/v1/account/freeze", reason ? { reason } : {}, key);
  close = (key?: string) => this.post("/v1/account/close", {}, key);
  exportData = () => this.question("/v1/privacy/exports", {});

  async eraseMe(key?: string): Promise<Schemas["PrivacyErasure"]> {
    const erased = await this.post("/v1/privacy/erasures", {}, key);
    await this.session.close();
    return erased;
  }

  // How all of it is sent.

  private async confirm<P extends PathOf<"post">>(path: P, shown: Shown, order: Order, ask: Confirm, key?: string): Promise<AnswerOf<P, "post">> {
    const intent = `${key ?? crypto.randomUUID()}.confirm`;
    return confirmed(this.device, shown, order, ask, async (body) => {
      const request = { method: "POST", path: fill(path, { id: order.id }), body, key: intent };
      return json(await this.written(request)) as AnswerOf<P, "post">;
    });
  }

  private async listen(last: string | undefined, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { access_token } = await this.session.fresh();
    const headers = { Accept: "text/event-stream", ...(last !== undefined && { "Last-Event-ID": last }) };
    const response = await this.wire.open({ method: "GET", path: "/v1/account/events", headers }, access_token, signal);
    if (response.status === 200 && response.body !== null) return response.body;
    // A token that was refused, or a clock that is wrong: both are put right by a refresh.
    if (response.status === 401) await this.session.refresh();
    const said = asProblem(await response.json().catch(() => undefined));
    if (said !== undefined && !said.retryable && response.status !== 401) throw new Refused(said);
    throw new Lost(`the stream was answered ${response.status}`);
  }

  private async get<P extends PathOf<"get">>(path: P, parameters?: Parameters, query?: Query): Promise<AnswerOf<P, "get">> {
    const request = { method: "GET", path: fill(path, parameters), ...(query && { query }) };
    return json(await read(this.wire.options, () => this.session.send(request))) as AnswerOf<P, "get">;
  }

  private async post<P extends PathOf<"post">>(path: P, body: BodyOf<P, "post">, key?: string): Promise<AnswerOf<P, "post">> {
    return json(await this.written({ method: "POST", path, body, key: key ?? crypto.randomUUID() })) as AnswerOf<P, "post">;
  }

  private written(request: Request & { key: string }): Promise<Answer> {
    const asked = { method: "GET", path: fill("/v1/requests/{key}", { key: request.key }) };
    const [attempt, ask] = [request, asked].map((each) => () => this.session.send(each)) as [() => Promise<Answer>, () => Promise<Answer>];
    return write(this.wire.options, { key: request.key, attempt, ask });
  }

  /** What may be asked twice. */
  private async question<P extends PathOf<"post">>(path: P, body: BodyOf<P, "post">): Promise<AnswerOf<P, "post">> {
    return json(await read(this.wire.options, () => this.session.send({ method: "POST", path, body }))) as AnswerOf<P, "post">;
  }

  private async tell<P extends PathOf<"post">>(path: P, body: BodyOf<P, "post">): Promise<void> {
    await say(this.wire.options, () => this.session.send({ method: "POST", path, body }));
  }

  /** The same with an answer. */
  private async told(path: string, body: object): Promise<unknown> {
    return json(await say(this.wire.options, () => this.session.send({ method: "POST", path, body })));
  }

  /** What is gone already, because an answer got lost, is as good as taken away. */
  private async remove(path: PathOf<"delete">, parameters: Parameters): Promise<void> {
    let attempts = 0;
    const request = { method: "DELETE", path: fill(path, parameters), body: {} };
    const attempt = () => (attempts++, this.session.send(request));
    await read(this.wire.options, attempt).catch((error: unknown) => {
      if (!(error instanceof Refused && error.code === "not-found" && attempts > 1)) throw error;
    });
  }

  /** Without a session. Sent once: a lost answer is no reason for another letter. */
  private async knock(path: string, body: object): Promise<unknown> {
    const request = { method: "POST", path, body: { tenant: this.setup.tenant, ...body } };
    return json(await say(this.wire.options, () => this.session.knock(request)));
  }
}
