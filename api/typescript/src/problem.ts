// What goes wrong, as types: a refusal is an answer, an end that is not known is a question that stays open.

import type { components } from "./schema.js";

/** A problem document (RFC 9457), as `docs/problems.md` lists them. */
export type Problem = components["schemas"]["Problem"];

/** The codes to match on. A newer server may know more of them. */
export type Code = Problem["code"];

/** Anything this package throws by itself. */
export class VintemError extends Error {
  override name = "VintemError";
}

/** The server said no, and nothing moved. Show `title`; decide by `code`. */
export class Refused extends VintemError {
  override name = "Refused";

  constructor(readonly problem: Problem) {
    super(`${problem.code}: ${problem.detail}`);
  }

  get code(): Code {
    return this.problem.code;
  }

  /** In the language that was asked for; for people. */
  get title(): string {
    return this.problem.title;
  }
}

/** No answer in time, and nothing was done, or nothing was to be done: it can be begun again. */
export class Unavailable extends VintemError {
  override name = "Unavailable";

  /** What the server said last, if it said anything: that one asks too often, for example. */
  constructor(message: string, readonly problem?: Problem) {
    super(message);
  }
}

/**
 * No answer in time, and the write may have happened. Never begin it again under another key:
 * call once more with this one, now or tomorrow.
 */
export class Undecided extends VintemError {
  override name = "Undecided";

  constructor(readonly key: string, cause: unknown) {
    super(`it is not known yet whether the request under the key ${key} happened`, { cause });
  }
}

/** There is no session, or not any more: sign in. */
export class SignedOut extends VintemError {
  override name = "SignedOut";
}

/** The person did not confirm. Nothing moved. */
export class Cancelled extends VintemError {
  override name = "Cancelled";
}

/** Whether a body is a problem document. What stands on the way (a proxy, a hotel's page) answers other things. */
export function asProblem(body: unknown): Problem | undefined {
  const known = body as Partial<Problem> | null;
  const is = typeof known === "object" && typeof known?.code === "string" && typeof known.outcome === "string";
  return is ? (known as Problem) : undefined;
}
