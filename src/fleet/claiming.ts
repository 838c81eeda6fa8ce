/**
 * How jobs come from the coordinator to this factory. A runner with nothing to run asks, and one claim answers it.
 * Where the coordinator offers long polling, a further claim then waits there, beside everything else that this
 * factory has to say; its answer is dealt with by the loop, so that it overtakes nothing (session.ts).
 */
import { MINUTE, SECOND } from '../platform/clock.ts';
import type { AttachedRunner, Claim, ClaimedJob, Revocation } from '../runner/hooks.ts';
import type { Chronicle } from './chronicle.ts';
import { ClaimDesk } from './claim-desk.ts';
import { elapsed, type Stamp, stampOf } from './elapsed.ts';
import { type Held, keyFor, newHeld, type Sleep, staleText } from './held.ts';
import type { FleetOptions } from './options.ts';
import type { Failure, Outcome } from './outcome.ts';
import { type GivenJob, JOB_ID } from './protocol.ts';
import { isInHand } from './report.ts';
import type { PollPhase } from './session.ts';
import { tellTheEnd } from './take-up.ts';

/** After a claim that came to nothing, and after one that was declined, ms. */
const CLAIM_REST = 10 * SECOND;
/** Before a claim whose answer was lost, or could not be read, is repeated, ms. */
const CLAIM_RETRY = 2 * SECOND;
const DECLINE_REST = 1 * MINUTE;
/** Longest wait at the coordinator, s: whatever stands between us cuts connections that are silent for a minute. */
const LONGEST_POLL = 50;
/** A poll that comes back empty sooner than this part of its wait was not waited for. */
const WAITED = 0.5;

/** Of the newest earlier holders only. */
const MOST_EARLIER = 5;

/** What claiming needs of the exchange that it is a part of. */
export interface ClaimingSide {
  readonly options: FleetOptions;
  readonly held: Map<string, Held>;
  readonly runner: AttachedRunner | undefined;
  readonly chronicle: Chronicle;
  readonly slept: Sleep | undefined;
  capabilities(): Promise<readonly string[]>;
  random(): number;
  /** A call was answered as a coordinator answers. */
  served(): void;
  failed(outcome: Extract<Failure, { kind: 'unreachable' | 'unauthorized' }>): void;
  takeAway(held: Held, why: Revocation): Promise<void>;
  /** A job has come, or what is known of how many there are no longer holds. */
  claimed(): void;
}

type ClaimOutcome = Outcome<GivenJob | 'empty'>;

interface Poll {
  readonly requestId: string;
  readonly abort: AbortController;
  readonly from: Stamp;
  readonly waitSec: number;
  outcome?: ClaimOutcome;
}

export class Claiming {
  readonly desk: ClaimDesk;
  readonly #side: ClaimingSide;
  readonly #answered: () => void;
  #poll: Poll | undefined;
  /** How long (s) the coordinator lets a claim wait; 0: it does not. */
  #offeredSec = 0;

  /** @param answered called when a poll has been answered and the loop should deal with it */
  constructor(side: ClaimingSide, answered: () => void) {
    this.#side = side;
    this.#answered = answered;
    this.desk = new ClaimDesk(side.options.clock);
  }

  /** What the newest heartbeat's answer says of long polling. */
  offered(longPollSec: number | undefined): void {
    this.#offeredSec = Math.min(longPollSec ?? 0, LONGEST_POLL);
  }

  get offersPolls(): boolean {
    return this.#offeredSec > 0;
  }

  get pollPhase(): PollPhase {
    if (this.#poll === undefined) return 'none';
    return this.#poll.outcome === undefined ? 'waiting' : 'answered';
  }

  /** Asks once, and answers whoever waits at the desk. @param unfinished of a claim whose answer was lost */
  async claim(unfinished: string | undefined): Promise<void> {
    const { client, claims } = this.#side.options;
    const requestId = unfinished ?? (await claims.begin());
    const outcome = await client.claim({ capabilities: await this.#side.capabilities(), requestId });
    const isJob = await this.#settle(requestId, outcome);
    if (outcome.kind === 'accepted' && !isJob && !this.offersPolls) this.desk.restFor(CLAIM_REST, 'empty');
    this.desk.answer(isJob);
  }

  /** Begins a claim that waits at the coordinator until a job fits; `settlePoll` deals with its answer. */
  async poll(): Promise<void> {
    const { claims, clock } = this.#side.options;
    const requestId = await claims.begin();
    const waitSec = this.#offeredSec;
    const poll: Poll = { requestId, abort: new AbortController(), from: stampOf(clock), waitSec };
    this.#poll = poll;
    void this.#wait(poll);
  }

  async #wait(poll: Poll): Promise<void> {
    const { requestId, waitSec, abort } = poll;
    const capabilities = await this.#side.capabilities();
    if (abort.signal.aborted) return;
    const { client } = this.#side.options;
    const outcome = await client.claim({ capabilities, requestId, waitSec, signal: abort.signal });
    // One that was given up is repeated later under its request id: the job may be ours already.
    if (this.#poll !== poll) return;
    poll.outcome = outcome;
    this.#answered();
  }

  async settlePoll(): Promise<void> {
    const { requestId, outcome, from, waitSec } = this.#poll ?? {};
    if (requestId === undefined || outcome === undefined) return;
    this.#poll = undefined;
    const isJob = await this.#settle(requestId, outcome);
    const waited = from === undefined ? 0 : elapsed(from, stampOf(this.#side.options.clock));
    const isHasty = waited < (waitSec ?? 0) * SECOND * WAITED;
    if (outcome.kind === 'accepted' && !isJob && isHasty) this.desk.restFor(CLAIM_REST, 'empty');
  }

  /** Waits no longer: there is other work, or nothing that was known of the network holds. */
  giveUpPoll(): void {
    const poll = this.#poll;
    if (poll === undefined || poll.outcome !== undefined) return;
    this.#poll = undefined;
    poll.abort.abort();
  }

  /** No job could be had now: whoever waits is told so. */
  interrupted(): void {
    this.giveUpPoll();
    this.desk.answer(false);
  }

  /** Not taken again for a while, or it would go round for ever; nor is another for a minute (rule 12). */
  async declined({ jobId }: Held): Promise<void> {
    const { claims, clock } = this.#side.options;
    await claims.decline(jobId, clock.now());
    this.desk.restFor(DECLINE_REST, 'given-back');
  }

  /** True when a job has come of it. */
  async #settle(requestId: string, outcome: ClaimOutcome): Promise<boolean> {
    const { claims, log } = this.#side.options;
    if (outcome.kind === 'accepted') {
      this.#side.served();
      const isJob = outcome.value !== 'empty' && (await this.#take(outcome.value, outcome.sentAt));
      await claims.finish(requestId);
      return isJob;
    }
    if (outcome.kind === 'unreachable' || outcome.kind === 'unauthorized') {
      // It is repeated, and if its answer cannot be read, not without a rest.
      this.desk.restFor(CLAIM_RETRY, 'unanswered');
      this.#side.failed(outcome);
      return false;
    }
    log.warn(`The coordinator refused a claim (${outcome.kind}); the next is made later.`);
    await claims.finish(requestId);
    this.desk.restFor(DECLINE_REST, 'refused');
    return false;
  }

  /** The job is on disk and in the runner's hands when it resolves; false when it was turned down. */
  async #take(job: GivenJob, sentAt: Stamp): Promise<boolean> {
    const { jobId, epoch, leaseMs } = job;
    const { runner, held } = this.#side;
    const { claims, clock, log, outbox } = this.#side.options;
    if (runner === undefined || !JOB_ID.test(jobId)) return false;
    for (const older of held.values()) {
      if (older.jobId === jobId && older.epoch < epoch)
        await this.#side.takeAway(older, staleText(older, epoch));
    }
    this.#side.claimed();
    const claim: Claim = { jobId, epoch, leaseMs };
    const known = { jobId, epoch, leaseMs, sentAt, jitter: this.#side.random() };
    if (claims.isDeclined(jobId, clock.now())) {
      const back = newHeld({ ...known, id: `${jobId}-${epoch}`, stage: 'ended' });
      held.set(keyFor(claim), back);
      await outbox.add(back, 'release');
      this.desk.restFor(DECLINE_REST, 'given-back');
      return false;
    }
    const { id, stage } = await runner.materialise(await this.#claimedJob(job, claim));
    if (!held.has(keyFor(claim))) {
      const { slept } = this.#side;
      held.set(keyFor(claim), newHeld({ ...known, id, stage: isInHand(stage) ? stage : 'ended', slept }));
      if (!isInHand(stage)) {
        // An answer that is repeated after a restart: what it gave us has come to its end in the meantime.
        await tellTheEnd(this.#side, { id, jobId, epoch });
        return false;
      }
    }
    this.#side.chronicle.transition(`${jobId}, epoch ${epoch}: claimed`);
    log.info(`Claimed ${jobId} under epoch ${epoch}, as ${id}.`);
    return true;
  }

  /** With what is known of earlier holders: from their work it goes on, and a person is told who they were (rule 14). */
  async #claimedJob({ jobId, epoch, bodyMd, checkpoint }: GivenJob, claim: Claim): Promise<ClaimedJob> {
    const isCommit = checkpoint !== undefined && /^[0-9a-f]{40,64}$/.test(checkpoint.wipCommit);
    const runs = epoch > 1 ? await this.#side.options.client.runs(jobId) : undefined;
    const earlier =
      runs?.kind === 'accepted'
        ? runs.value.filter((run) => (run.epoch ?? 0) < epoch).slice(-MOST_EARLIER)
        : [];
    return {
      claim,
      text: bodyMd,
      ...(isCommit && { startFrom: checkpoint }),
      ...(earlier.length > 0 && { earlier }),
    };
  }
}
