// What moves money: shown first, then signed by the device and proven by the PIN.

import type { Device } from "./device.js";
import { Cancelled, Refused } from "./problem.js";
import type { components } from "./schema.js";

type Money = components["schemas"]["Money"];

/** What the person sees before they type their PIN. */
export interface Shown {
  readonly purpose: "transfer" | "withdrawal" | "charge" | "mandate";
  readonly amount: Money;
  readonly asset: string;
  readonly fee?: Money;
  /** What leaves the account. */
  readonly total: Money;
  readonly expires_at: string;
  /** The PIN that was typed before was wrong, so often by now. At the fifth it is locked. */
  readonly wrongPins?: number;
}

/** Shows, and answers the PIN; or nothing, when the person thinks better of it. */
export type Confirm = (shown: Shown) => Promise<string | undefined>;

/** What is signed of an order. */
export interface Order {
  readonly id: string;
  readonly amount: Money;
  readonly nonce: string;
  readonly payee: string;
  /** Of a mandate. */
  readonly per_payment?: string;
  /** Of a mandate. */
  readonly period?: string;
}

/** Asks for the PIN until it is right, and sends it under one key: a wrong one is no part of what the key stands for. */
export async function confirmed<T>(
  device: Device,
  shown: Shown,
  { id, amount, ...rest }: Order,
  ask: Confirm,
  send: (body: components["schemas"]["ConfirmInput"]) => Promise<T>,
): Promise<T> {
  for (let wrongPins = 0; ; wrongPins++) {
    const pin = await ask(wrongPins === 0 ? shown : { ...shown, wrongPins });
    if (pin === undefined) throw new Cancelled("it was not confirmed");
    const said = { amount: amount.amount, asset: amount.asset, intent_id: id, ...rest };
    try {
      return await send({ pin, device_signature: await device.confirm(said) });
    } catch (error) {
      if (!(error instanceof Refused && error.code === "pin-invalid")) throw error;
    }
  }
}
