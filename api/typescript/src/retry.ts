// Ask by key, then retry: how a write happens once, whatever the network does.
//
// A write goes under a key. When its end is not known, `GET /v1/requests/{key}` is asked; where that has no answer, the same
// request is sent again under the same key. What is found there is not proof of absence, so only the server's own answer
// ends the loop, or the deadline.

import { type Answer, Lost, type Options, json, problem } from "./http.js";
import { type Problem, Refused, Unavailable, Undecided } from "./problem.js";

/** One try. Throws `Lost` when no answer came. */
export type Attempt = () => Promise<Answer>;

/** What is asked for by its key. */
export interface Write {
  readonly key: string;
  /** Sends the request under the key. */
  readonly attempt: Attempt;
  /** `GET /v1/requests/{key}`. */
  readonly ask: Attempt;
}

const FIRST_MS = 250;
const LONGEST_MS = 8_000;
const DEADLINE_MS = 60_000;

/** What an answer means. `again` says that it did nothing and may do better later; `open` that its end is not known. */
type Verdict = "done" | "refused" | "again" | "open";

function judge(answer: Answer): Verdict {
  if (answer.status < 400) return "done";
  const said = problem(answer);
  // Not ours: something on the way speaks, and what it did with the request nobody knows.
  if (said === undefined) return "open";
  if (said.outcome !== "none") return "open";
  return said.retryable ? "again" : "refused";
}

/** How long to wait: twice as long each time, with jitter, and never less than the server asks for. */
class Patience {
  private readonly end: number;
  private turn = 0;

  constructor(private readonly options: Options) {
    this.end = Date.now() + (options.deadlineMs ?? DEADLINE_MS);
  }

  /** Waits; false when that would be too long. */
  async wait(why: string, answer?: Answer): Promise<boolean> {
    const step = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.turn++);
    const asked = retryAfterMs(answer);
    const ms = Math.max(asked, step * (0.5 + Math.random() / 2));
    if (Date.now() + ms > this.end) return false;
    this.options.onRepeat?.(why, ms);
    await new Promise((resume) => setTimeout(resume, ms));
    return true;
  }
}

function retryAfterMs(answer: Answer | undefined): number {
  const text = answer?.headers.get("retry-after");
  if (text === null || text === undefined) return 0;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

/** Why an attempt was not the last one, in a word. */
function reason(answer: Answer | undefined): string {
  return answer === undefined ? "lost" : (problem(answer)?.code ?? `status ${answer.status}`);
}

function unavailable(answer: Answer | undefined): Unavailable {
  return new Unavailable(`no answer in time: ${reason(answer)}`, answer && problem(answer));
}

/** The answer to an attempt, or that there was none. */
async function hear(attempt: Attempt): Promise<Answer | undefined> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof Lost) return undefined;
    throw error;
  }
}

/** What is recorded under a key: the first answer, as if it came now. `undefined` as long as there is none. */
async function recover(ask: Attempt): Promise<Answer | undefined> {
  const found = await hear(ask);
  if (found?.status !== 200) return undefined;
  const { status, body } = json(found) as { status: number; body: unknown };
  return { status, headers: found.headers, bytes: new TextEncoder().encode(JSON.stringify(body)) };
}

/** Writes once. */
export async function write(options: Options, { key, attempt, ask }: Write): Promise<Answer> {
  const patience = new Patience(options);
  // From the first attempt whose end is not known, a later "nothing moved" speaks of itself only.
  let isOpen = false;
  for (;;) {
    const answer = await hear(attempt).catch((error: unknown) => {
      throw isOpen ? new Undecided(key, error) : error;
    });
    const verdict = answer === undefined ? "open" : judge(answer);
    if (answer !== undefined && verdict === "done") return answer;
    if (answer !== undefined && verdict === "refused") {
      const refused = new Refused(problem(answer) as Problem);
      // Who may not ask any more is told nothing of what became of the first attempt.
      if (isOpen && (answer.status === 401 || answer.status === 403)) throw new Undecided(key, refused);
      throw refused;
    }
    isOpen ||= verdict === "open";
    const why = reason(answer);
    if (!(await patience.wait(why, answer))) throw isOpen ? new Undecided(key, why) : unavailable(answer);
    const recovered = isOpen ? await recover(ask) : undefined;
    if (recovered === undefined) continue;
    const refusal = problem(recovered);
    if (refusal !== undefined) throw new Refused(refusal);
    return recovered;
  }
}

/** Reads, or asks what may be asked twice. */
export async function read(options: Options, attempt: Attempt): Promise<Answer> {
  const patience = new Patience(options);
  for (;;) {
    const answer = await hear(attempt);
    const verdict = answer === undefined ? "open" : judge(answer);
    if (answer !== undefined && verdict === "done") return answer;
    if (answer !== undefined && verdict === "refused") throw new Refused(problem(answer) as Problem);
    if (!(await patience.wait(reason(answer), answer))) throw unavailable(answer);
  }
}

/** Says something that is not to be said twice: only what was certainly not heard is repeated. */
export async function say(options: Options, attempt: Attempt): Promise<Answer> {
  const patience = new Patience(options);
  for (;;) {
    const answer = await hear(attempt);
    if (answer === undefined) throw unavailable(answer);
    const verdict = judge(answer);
    if (verdict === "done") return answer;
    if (verdict === "refused") throw new Refused(problem(answer) as Problem);
    if (verdict === "open" || !(await patience.wait(reason(answer), answer))) throw unavailable(answer);
  }
}
