// `@vintem/client`: what an app needs to speak to Vintem. The guide is `docs/app-guide.md`.

export { type ChargeClaims, verifyCharge } from "./charge.js";
export { Citizen, type CodeSent, type Enrolment, type Introduction, type OwnEvent, type Setup } from "./citizen.js";
export { type Confirm, type Shown } from "./confirm.js";
export { canonical, Device, drawPair, type Key, type PublicKey, type Said, webKey } from "./device.js";
export { type Options } from "./http.js";
export { Cancelled, type Code, type Problem, Refused, SignedOut, Unavailable, Undecided, VintemError } from "./problem.js";
export { type KeySet } from "./jws.js";
export { type Claims, verifyReceipt } from "./receipt.js";
export type { components, paths } from "./schema.js";
export { type Storage, type Tokens } from "./session.js";
