/**
 * This factory in a fleet: the runner's hooks, and one loop that does what session.ts says next. The loop is the
 * only one that renews, replays and claims, so that these never overtake each other; `permit` waits for it and then
 * reports `shipped` itself. Effects only: what a lease is, what comes next and what a move means is decided in
 * lease.ts, session.ts and report.ts.
 */
import { type Clock, MINUTE, SECOND } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type {
  AttachedRunner,
  Checkpoint,
  Claim,
  Effect,
  Holding,
  Hooks,
  Permission,
  Revocation,
  Transition,
} from '../runner/hooks.ts';
import { retryIn } from './backoff.ts';
import type { ClaimJournal } from './claims.ts';
import type { FleetClient } from './client.ts';
import type { FleetConfig } from './config.ts';
import { elapsed, type Stamp, slept, stampOf } from './elapsed.ts';
import {
  claimed,
  doubted,
  ended,
  extended,
  fenced,
  type Lease,
  landing,
  mayActOutward,
  standing,
} from './lease.ts';
import { keyOf, type Outbox } from './outbox.ts';
import type { Failure, Outcome } from './outcome.ts';
import { type GivenJob, JOB_ID } from './protocol.ts';
import { isTerminal, wireAction } from './report.ts';
import { answered, type Connection, lost, newConnection, nextAction, turnedDown, woke } from './session.ts';
import { type FleetStatus, statusLines } from './status.ts';

/** After a claim that came to nothing, and after one that was declined, ms. */
const CLAIM_REST = 10 * SECOND;
const DECLINE_REST = 1 * MINUTE;
/** While something depends on it, it is looked this often (ms) whether the machine has slept: no event tells. */
const WAKE_LOOK = 2 * SECOND;
/** How long (ms) a runner that stops waits for its last reports. */
const LAST_REPORTS = 3 * SECOND;
/** For a lease that is known only by what it has still to report, until a renewal tells. */
const UNKNOWN_LENGTH = 15 * MINUTE;

export interface FleetOptions {
  readonly client: FleetClient;
  readonly config: FleetConfig;
  readonly factoryId: string;
  readonly outbox: Outbox;
  readonly claims: ClaimJournal;
  readonly capabilities: () => readonly string[];
  /** Heartbeats only, and tells what could be claimed (rule 15). */
  readonly shadow: boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 to 1; default Math.random. */
  readonly random?: () => number;
}

/** One claimed job, from its claim until the coordinator has nothing more to say of it. */
interface Held {
  /** The local id. */
  readonly id: string;
  readonly jobId: string;
  readonly epoch: number;
  lease: Lease;
  stage: string;
  checkpoint: Checkpoint | undefined;
  /** Of a renewal whose answer has not come: a repeat carries it. */
  renewKey?: string | undefined;
  /** Wants to ship, and could not be allowed to. */
  shipHeld: boolean;
  /** `shipped` was reported once, so a stale epoch may only mean that it was accepted. */
  shipAsked: boolean;
}

export class Fleet implements Hooks {
  readonly #options: FleetOptions;
  readonly #held = new Map<string, Held>();
  #connection: Connection;
  #runner: AttachedRunner | undefined;
  #loaded = false;
  #loop: Promise<void> | undefined;
  #stopping: AbortController | undefined;
  #wake = Promise.withResolvers<void>();
  #acted = Promise.withResolvers<void>();
  #wanted: PromiseWithResolvers<boolean> | undefined;
  #claimNotBefore: { readonly from: Stamp; readonly ms: number } | undefined;
  #looked: { readonly at: Stamp; readonly meantMs?: number };
  #claimable: number | undefined;
  #lastHeartbeat: Stamp | undefined;
  #renewals = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
    const now = stampOf(options.clock);
    this.#connection = newConnection(now);
    this.#looked = { at: now };
  }

  get policy() {
    return this.#options.config.policy;
  }

  async attach(runner: AttachedRunner, holdings: readonly Holding[]): Promise<void> {
    this.#runner = runner;
    await this.#load(holdings);
    if (this.#loop !== undefined) return;
    this.#stopping = new AbortController();
    this.#loop = this.#run(this.#stopping.signal);
  }

  async detach(): Promise<void> {
    const { clock } = this.#options;
    const from = stampOf(clock);
    while (this.#waiting() > 0 && ['new', 'reachable'].includes(this.#connection.phase)) {
      if (elapsed(from, stampOf(clock)) > LAST_REPORTS) break;
      this.#kick();
      await Promise.race([this.#acted.promise, clock.sleep(LAST_REPORTS)]);
    }
    this.#stopping?.abort();
    this.#kick();
    this.#answerWanted(false);
    await this.#loop;
    this.#loop = undefined;
    this.#runner = undefined;
    await this.close();
  }

  /** Closes connections; a later call opens new ones. */
  close(): Promise<void> {
    return this.#options.client.close();
  }

  claim(): Promise<boolean> {
    const rests = this.#claimRestMs() > 0;
    const reachable = ['new', 'reachable'].includes(this.#connection.phase);
    if (this.#options.shadow || rests || !reachable || this.#stopping?.signal.aborted !== false)
      return Promise.resolve(false);
    this.#wanted ??= Promise.withResolvers<boolean>();
    this.#kick();
    return this.#wanted.promise;
  }

  async transition({ claim, to, reasonCode, checkpoint }: Transition): Promise<void> {
    const held = claim && this.#held.get(keyFor(claim));
    if (held === undefined) return;
    held.stage = to;
    held.checkpoint = checkpoint ?? held.checkpoint;
    try {
      if (to === 'shipped') return await this.#end(held);
      if (held.lease.verdict !== undefined) return;
      if (reasonCode === 'declined') await this.#declined(held);
      const action = wireAction(to, reasonCode);
      if (action.do === 'report') await this.#options.outbox.add(held, action.stage, held.checkpoint);
      if (action.do === 'release') await this.#options.outbox.add(held, 'release');
    } catch (error) {
      // What is not on disk is found again at the next start, from the stage that the job is in.
      this.#options.log.error(`${held.id}: its report could not be kept: ${messageOf(error)}`);
    }
    this.#kick();
  }

  async permit({ claim }: { readonly claim?: Claim | undefined }, _effect: Effect): Promise<Permission> {
    if (claim === undefined || claim.mayLand === true) return 'accepted';
    const held = this.#held.get(keyFor(claim));
    if (held === undefined) return 'held';
    const settled = await this.#settled(held);
    return settled === 'ask' ? this.#askToShip(held) : settled;
  }

  status(): readonly string[] {
    return statusLines(this.facts());
  }

  /** All that is known, for status output. */
  facts(): FleetStatus {
    const now = stampOf(this.#options.clock);
    return {
      factoryId: this.#options.factoryId,
      api: this.#options.config.api,
      shadow: this.#options.shadow,
      connection: this.#connection,
      capabilities: [...this.#capabilities()],
      now,
      ...(this.#lastHeartbeat !== undefined && { lastHeartbeat: this.#lastHeartbeat }),
      ...(this.#claimable !== undefined && { claimable: this.#claimable }),
      leases: [...this.#held.values()].map((held) => ({
        id: held.id,
        jobId: held.jobId,
        stage: held.stage,
        lease: held.lease,
        waiting: this.#options.outbox.waiting(held.id),
      })),
    };
  }

  /** One heartbeat, now, outside the loop: for `aq fleet-status`. */
  async heartbeat(): Promise<void> {
    await this.#heartbeat();
  }

  // ---- what there is at the start -------------------------------------------------------------------------

  async #load(holdings: readonly Holding[]): Promise<void> {
    const { outbox, claims, log } = this.#options;
    if (!this.#loaded) {
      for (const file of await outbox.load())
        log.error(`A file of unsent reports could not be read; it is kept as ${file}.`);
      await claims.load();
      this.#loaded = true;
    }
    for (const holding of holdings) await this.#takeUp(holding);
    for (const id of outbox.ids()) {
      const owner = outbox.owner(id);
      if (owner === undefined || this.#held.has(keyFor(owner))) continue;
      // Its job is at its end here; only what it has still to report is left.
      this.#held.set(keyFor(owner), this.#heldOf(owner, { stage: 'ended', leaseMs: UNKNOWN_LENGTH }));
    }
  }

  async #takeUp({ id, claim, stage, reasonCode, checkpoint }: Holding): Promise<void> {
    const key = keyFor(claim);
    if (this.#held.has(key)) return;
    const owner = { id, jobId: claim.jobId, epoch: claim.epoch };
    const held = this.#heldOf(owner, { stage, leaseMs: claim.leaseMs, checkpoint });
    held.shipHeld = stage === 'testing' && reasonCode === 'held';
    held.shipAsked = stage === 'testing';
    if (claim.mayLand === true) held.lease = landing(held.lease);
    this.#held.set(key, held);
    // A crash between the move and its report: the stage that the job is in is what has to be told.
    const action = wireAction(stage, reasonCode);
    const { outbox } = this.#options;
    if (held.lease.verdict === undefined && action.do === 'report' && outbox.told(id) !== action.stage)
      await outbox.add(held, action.stage, checkpoint);
  }

  #heldOf(
    { id, jobId, epoch }: { id: string; jobId: string; epoch: number },
    known: { stage: string; leaseMs: number; checkpoint?: Checkpoint | undefined },
  ): Held {
    const sentAt = stampOf(this.#options.clock);
    const lease = claimed({ jobId, epoch, lengthMs: known.leaseMs, sentAt, jitter: this.#random() });
    return {
      id,
      jobId,
      epoch,
      lease: doubted(lease),
      stage: known.stage,
      checkpoint: known.checkpoint,
      shipHeld: false,
      shipAsked: false,
    };
  }

  // ---- the loop -------------------------------------------------------------------------------------------

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      this.#look();
      const now = stampOf(clock);
      const action = nextAction(this.#session(), now);
      try {
        if (action.do === 'wait') {
          await this.#pause(action.ms, signal);
          continue;
        }
        await this.#perform(action);
      } catch (error) {
        log.error(`Fleet: ${messageOf(error)}; it goes on. Nothing is lost.`);
        await clock.sleep(WAKE_LOOK, signal).catch(() => undefined);
      }
      this.#hasActed();
    }
  }

  #session() {
    const { outbox, claims, config } = this.#options;
    return {
      connection: this.#connection,
      jobs: [...this.#held].map(([key, { id, lease }]) => ({ key, lease, waiting: outbox.waiting(id) })),
      unfinishedClaims: this.#options.shadow ? [] : claims.unfinished,
      wantsJob: this.#wanted !== undefined,
      claimRestMs: this.#claimRestMs(),
      renewEveryMs: config.renewEveryMs,
    };
  }

  async #perform(action: Exclude<ReturnType<typeof nextAction>, { do: 'wait' }>): Promise<void> {
    switch (action.do) {
      case 'heartbeat':
        return this.#heartbeat();
      case 'renew':
        return this.#renew(this.#held.get(action.key) as Held);
      case 'replay':
        return this.#replay(this.#held.get(action.key) as Held);
      case 'claim':
        return this.#claim(action.requestId);
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const matters = [...this.#held.values()].some(({ lease }) => lease.verdict === undefined);
    const meantMs = Math.min(ms, matters ? WAKE_LOOK : MINUTE);
    this.#looked = { at: stampOf(clock), meantMs };
    this.#hasActed();
    const over = new AbortController();
    const heard = this.#wake.promise.then(() => over.abort());
    await clock.sleep(meantMs, AbortSignal.any([over.signal, signal])).catch(() => undefined);
    over.abort();
    void heard;
  }

  /** Notices that the machine has slept, or that a clock was set: then every lease is in doubt (rule 4). */
  #look(): void {
    const now = stampOf(this.#options.clock);
    const { at, meantMs } = this.#looked;
    this.#looked = { at: now };
    if (!slept(at, now, meantMs)) return;
    this.#options.log.info(
      `This machine slept, or its clock was set (about ${Math.round(elapsed(at, now) / SECOND)} s). Nothing leaves it for claimed jobs until their leases are renewed.`,
    );
    for (const held of this.#held.values()) held.lease = doubted(held.lease);
    this.#connection = woke(this.#connection);
  }

  // ---- calls ----------------------------------------------------------------------------------------------

  async #heartbeat(): Promise<void> {
    const { client, config, clock, log } = this.#options;
    const { running, maxParallel } = this.#runner?.capacity() ?? { running: 0, maxParallel: 1 };
    const load = Math.round((running / maxParallel) * 100) / 100;
    const outcome = await client.heartbeat({ capabilities: this.#capabilities(), health: 'ok', load });
    const now = stampOf(clock);
    if (outcome.kind === 'fenced' || outcome.kind === 'refused')
      return this.#failed({ kind: 'unreachable', why: 'it does not take this factory’s heartbeat' });
    if (outcome.kind !== 'accepted') return this.#failed(outcome);
    if (this.#connection.phase !== 'reachable') {
      log.info(`The coordinator at ${config.api} answers.`);
      // It may have been away for long: every lease is renewed before anything else (rule 8).
      for (const held of this.#held.values()) held.lease = doubted(held.lease);
    }
    this.#lastHeartbeat = now;
    this.#claimable = outcome.value.claimable;
    const pause = (outcome.value.nextHeartbeatSec ?? config.renewEveryMs / SECOND) * SECOND;
    this.#connection = answered(this.#connection, now, pause);
    if (this.#options.shadow && (this.#claimable ?? 0) > 0)
      log.info(`Shadow mode: ${this.#claimable} jobs could be claimed; none is.`);
  }

  async #renew(held: Held): Promise<void> {
    this.#renewals += 1;
    held.renewKey ??= keyOf(held, `renew-${stampOf(this.#options.clock).wall}-${this.#renewals}`);
    const outcome = await this.#options.client.renew({
      jobId: held.jobId,
      epoch: held.epoch,
      key: held.renewKey,
    });
    if (outcome.kind === 'unreachable') return this.#failed(outcome);
    held.renewKey = undefined;
    if (outcome.kind !== 'accepted') return this.#turnedAway(held, outcome);
    held.lease = extended(held.lease, outcome.value.leaseMs, outcome.sentAt);
    if (held.shipHeld && this.#options.outbox.waiting(held.id) === 0) this.#shipAgain(held);
  }

  async #replay(held: Held): Promise<void> {
    const { client, outbox } = this.#options;
    const report = outbox.next(held.id);
    if (report === undefined) return;
    const call = { jobId: held.jobId, epoch: held.epoch, key: keyOf(held, report.sequence) };
    const outcome =
      report.what === 'release'
        ? await client.release(call)
        : await client.report({ ...call, stage: report.what, checkpoint: report.checkpoint });
    const isLast = isTerminal(report.what);
    if (outcome.kind === 'accepted') {
      held.lease = extended(held.lease, outcome.value.leaseMs, outcome.sentAt);
      await outbox.done(held.id, report.sequence);
      if (isLast) return this.#end(held);
      if (held.shipHeld && outbox.waiting(held.id) === 0) this.#shipAgain(held);
      return;
    }
    // It was to end anyway, and there is no result that could be stale.
    if (isLast && (outcome.kind === 'fenced' || outcome.kind === 'refused')) return this.#end(held);
    if (outcome.kind !== 'refused') return this.#turnedAway(held, outcome);
    // Not repeated for ever (rule 8): if it is so already, it was accepted and the answer was lost.
    const job = await client.job(held.jobId);
    if (job.kind === 'unreachable' || job.kind === 'unauthorized') return this.#failed(job);
    const isSo =
      job.kind === 'accepted' &&
      job.value.stage === report.what &&
      (job.value.epoch ?? held.epoch) === held.epoch;
    if (isSo) return outbox.done(held.id, report.sequence);
    await this.#takeAway(held, {
      code: 'refused',
      text: `The coordinator refused the report “${report.what}” (${outcome.code}). Nothing of the job was shipped, and its work is kept.`,
    });
  }

  async #claim(unfinished: string | undefined): Promise<void> {
    const { client, claims, log } = this.#options;
    const requestId = unfinished ?? (await claims.begin());
    const outcome = await client.claim({ capabilities: this.#capabilities(), requestId });
    let isJob = false;
    if (outcome.kind === 'accepted') {
      if (outcome.value !== 'empty') isJob = await this.#take(outcome.value, outcome.sentAt);
      await claims.finish(requestId);
      if (!isJob) this.#rest(CLAIM_REST);
    } else if (outcome.kind === 'unreachable' || outcome.kind === 'unauthorized') {
      this.#failed(outcome);
    } else {
      log.warn(`The coordinator refused a claim (${outcome.kind}); the next is made later.`);
      await claims.finish(requestId);
      this.#rest(DECLINE_REST);
    }
    this.#answerWanted(isJob);
  }

  /** The job is on disk and in the runner's hands when it resolves; false when it was turned down. */
  async #take(job: GivenJob, sentAt: Stamp): Promise<boolean> {
    const { jobId, epoch, leaseMs, bodyMd, checkpoint } = job;
    const { claims, clock, log } = this.#options;
    const runner = this.#runner;
    if (runner === undefined || !JOB_ID.test(jobId)) return false;
    for (const older of this.#held.values()) {
      if (older.jobId === jobId && older.epoch < epoch) await this.#takeAway(older, staleText(older, epoch));
    }
    const claim: Claim = { jobId, epoch, leaseMs };
    const lease = claimed({ jobId, epoch, lengthMs: leaseMs, sentAt, jitter: this.#random() });
    if (claims.isDeclined(jobId, clock.now())) {
      const held = {
        ...this.#heldOf({ id: `${jobId}-${epoch}`, jobId, epoch }, { stage: 'ended', leaseMs }),
        lease,
      };
      this.#held.set(keyFor(claim), held);
      await this.#options.outbox.add(held, 'release');
      this.#rest(DECLINE_REST);
      return false;
    }
    const startFrom = checkpoint?.wipCommit;
    const isCommit = startFrom !== undefined && /^[0-9a-f]{40,64}$/.test(startFrom);
    const id = await runner.materialise({ claim, text: bodyMd, ...(isCommit && { startFrom }) });
    if (!this.#held.has(keyFor(claim))) {
      const held = { ...this.#heldOf({ id, jobId, epoch }, { stage: 'assigned', leaseMs }), lease };
      this.#held.set(keyFor(claim), held);
    }
    log.info(`Claimed ${jobId} under epoch ${epoch}, as ${id}.`);
    return true;
  }

  /** What a call that carried an epoch was answered, where that was not yes. */
  async #turnedAway(held: Held, outcome: Failure): Promise<void> {
    if (outcome.kind === 'unreachable' || outcome.kind === 'unauthorized') return this.#failed(outcome);
    const mine = held.shipAsked ? await this.#isShippedByUs(held) : false;
    if (mine === undefined) return; // the connection is lost; it is asked again
    if (mine) {
      held.lease = landing(held.lease);
      if (held.shipHeld) this.#shipAgain(held);
      return;
    }
    const now = outcome.kind === 'fenced' ? outcome.currentEpoch : undefined;
    await this.#takeAway(
      held,
      outcome.kind === 'fenced'
        ? staleText(held, now)
        : {
            code: 'refused',
            text: `The coordinator refused it (${outcome.code}). Nothing of the job was shipped, and its work is kept.`,
          },
    );
  }

  /** Whether `shipped` was accepted under our epoch, and only the answer was lost (rule 10); undefined: nobody says. */
  async #isShippedByUs(held: Held): Promise<boolean | undefined> {
    const job = await this.#options.client.job(held.jobId);
    if (job.kind === 'accepted') return job.value.stage === 'shipped' && job.value.epoch === held.epoch;
    if (job.kind !== 'unreachable' && job.kind !== 'unauthorized') return false;
    this.#failed(job);
    return undefined;
  }

  /** The epoch is no longer ours: whatever of it runs is killed, and nothing more is sent under it (rule 9). */
  async #takeAway(held: Held, why: Revocation): Promise<void> {
    const { outbox, log } = this.#options;
    held.lease = fenced(held.lease);
    log.warn(`fenced-abort ${held.id} (job ${held.jobId}, epoch ${held.epoch}): ${why.text}`);
    this.#held.delete(keyFor(held));
    this.#hasActed();
    await outbox.drop(held.id);
    // Not awaited: it ends processes, and one of them may wait for a permission that only this loop gives.
    this.#runner
      ?.revoked(held.id, why)
      .catch((error: unknown) => log.error(`${held.id} could not be ended: ${messageOf(error)}`));
  }

  async #end(held: Held): Promise<void> {
    held.lease = ended(held.lease);
    this.#held.delete(keyFor(held));
    await this.#options.outbox.drop(held.id);
  }

  async #declined(held: Held): Promise<void> {
    const { claims, clock } = this.#options;
    await claims.decline(held.jobId, clock.now());
    this.#rest(DECLINE_REST);
  }

  #failed(outcome: Extract<Outcome<never>, { kind: 'unreachable' | 'unauthorized' }>): void {
    const { clock, log, config } = this.#options;
    const now = stampOf(clock);
    const before = this.#connection.phase;
    if (outcome.kind === 'unauthorized') {
      this.#connection = turnedDown(this.#connection, now);
      if (before !== 'unauthorized')
        log.error(
          `The coordinator at ${config.api} turns the token down (${outcome.status}). Nothing is claimed; jobs in work go on. Give it a valid AQ_FLEET_TOKEN.`,
        );
    } else {
      const pause = retryIn({
        failures: this.#connection.failures + 1,
        random: this.#random(),
        retryAfterMs: outcome.retryAfterMs,
        pressing: this.#held.size > 0,
      });
      this.#connection = lost(this.#connection, now, outcome.why, pause);
      if (before !== 'unreachable')
        log.warn(`The coordinator at ${config.api} can't be reached: ${outcome.why}. Jobs in work go on.`);
    }
    this.#answerWanted(false);
  }

  // ---- shipping -------------------------------------------------------------------------------------------

  /** Waits until everything before has been told and the lease is certain, or until that can't be had now. */
  async #settled(held: Held): Promise<Permission | 'ask'> {
    const { outbox, clock } = this.#options;
    for (;;) {
      this.#look();
      const state = standing(held.lease, stampOf(clock));
      if (state === 'fenced' || state === 'ended') return 'fenced';
      if (state === 'landing') return 'accepted';
      if (state === 'held' && outbox.waiting(held.id) === 0) return 'ask';
      const isOff = this.#stopping?.signal.aborted !== false;
      if (isOff || !['new', 'reachable'].includes(this.#connection.phase)) {
        held.shipHeld = true;
        return 'held';
      }
      const acted = this.#acted.promise;
      this.#kick();
      await acted;
    }
  }

  /** Reports `shipped`; the answer is the permission to land, once and for ever (rule 10). */
  async #askToShip(held: Held): Promise<Permission> {
    const { client, clock } = this.#options;
    if (!mayActOutward(held.lease, stampOf(clock))) return 'held';
    held.shipAsked = true;
    const outcome = await client.report({
      jobId: held.jobId,
      epoch: held.epoch,
      key: keyOf(held, 'shipped'),
      stage: 'shipped',
      checkpoint: held.checkpoint,
    });
    if (outcome.kind === 'accepted') {
      held.lease = landing(held.lease);
      held.shipHeld = false;
      return 'accepted';
    }
    if (outcome.kind === 'unreachable' || outcome.kind === 'unauthorized') {
      held.shipHeld = true;
      this.#failed(outcome);
      return 'held';
    }
    const mine = await this.#isShippedByUs(held);
    if (mine === undefined) {
      held.shipHeld = true;
      return 'held';
    }
    if (mine) {
      held.lease = landing(held.lease);
      return 'accepted';
    }
    held.lease = fenced(held.lease);
    this.#options.log.warn(`fenced-abort ${held.id} (job ${held.jobId}, epoch ${held.epoch}): at shipping`);
    await this.#end(held);
    return 'fenced';
  }

  #shipAgain(held: Held): void {
    held.shipHeld = false;
    this.#runner
      ?.shipHeld(held.id)
      .catch((error: unknown) => this.#options.log.error(`${held.id}: ${messageOf(error)}`));
  }

  // ---- small things ---------------------------------------------------------------------------------------

  #capabilities(): readonly string[] {
    const { config, capabilities } = this.#options;
    if (config.capabilities !== undefined) return config.capabilities;
    // An engine that claimed jobs may not use here is none that this factory has to offer.
    return capabilities().filter((each) => {
      const [, engine] = /^engine:(.*)$/.exec(each) ?? [];
      if (engine === undefined) return true;
      return config.policy.engines?.includes(engine) ?? engine !== 'shell';
    });
  }

  #waiting(): number {
    return [...this.#held.values()].reduce((sum, { id }) => sum + this.#options.outbox.waiting(id), 0);
  }

  #random(): number {
    return (this.#options.random ?? Math.random)();
  }

  #claimRestMs(): number {
    const rest = this.#claimNotBefore;
    return rest === undefined ? 0 : Math.max(0, rest.ms - elapsed(rest.from, stampOf(this.#options.clock)));
  }

  #rest(ms: number): void {
    if (this.#claimRestMs() < ms) this.#claimNotBefore = { from: stampOf(this.#options.clock), ms };
  }

  #answerWanted(isJob: boolean): void {
    this.#wanted?.resolve(isJob);
    this.#wanted = undefined;
  }

  #kick(): void {
    this.#wake.resolve();
  }

  #hasActed(): void {
    this.#acted.resolve();
    this.#acted = Promise.withResolvers();
  }
}

function keyFor({ jobId, epoch }: { readonly jobId: string; readonly epoch: number }): string {
  return `${epoch} ${jobId}`;
}

function staleText({ jobId, epoch }: Held, current: number | undefined): Revocation {
  const now = current === undefined ? 'has been given out again or ended' : `is now under epoch ${current}`;
  return {
    code: 'fenced',
    text: `The coordinator's job ${jobId} ${now}, and this laptop had it under epoch ${epoch}. Nothing of it was shipped; the work is kept.`,
  };
}
