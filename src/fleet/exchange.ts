/**
 * What goes between this factory and its coordinator, call by call, and what each answer does to the jobs in hand.
 * Effects only: what an answer means is decided in outcome.ts, what a lease is in lease.ts.
 */
import { MINUTE, SECOND } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { AttachedRunner, Revocation } from '../runner/hooks.ts';
import { PRESSING, retryIn } from './backoff.ts';
import { CheckpointPushes } from './checkpoint-pushes.ts';
import { Chronicle } from './chronicle.ts';
import { Claiming, type ClaimingSide } from './claiming.ts';
import { elapsed, type Stamp, stampOf } from './elapsed.ts';
import { type Held, isBefore, keyFor, type Sleep, staleFacts, staleText } from './held.ts';
import { doubted, ended, extended, fenced, landing } from './lease.ts';
import type { FleetOptions } from './options.ts';
import { keyOf, type Report } from './outbox.ts';
import type { Failure, Outcome } from './outcome.ts';
import { isTerminal } from './report.ts';
import {
  type Action,
  answered,
  type Connection,
  lost,
  newConnection,
  served,
  turnedDown,
} from './session.ts';
import { Shipping } from './shipping.ts';

export class Exchange implements ClaimingSide {
  readonly options: FleetOptions;
  /** The claimed jobs in hand, by claim. */
  readonly held = new Map<string, Held>();
  readonly claiming: Claiming;
  readonly pushes: CheckpointPushes;
  readonly shipping: Shipping;
  connection: Connection;
  /** The last sleep of the machine that was noticed. */
  slept: Sleep | undefined;
  runner: AttachedRunner | undefined;
  claimable: number | undefined;
  /** The capabilities that were told last. */
  offers: readonly string[] = [];
  /** What this laptop was short of at the last heartbeat, in words. */
  shortages: readonly string[] = [];
  lastHeartbeat: Stamp | undefined;
  /** How long (ms) the last heartbeat took. */
  roundTripMs: number | undefined;
  readonly chronicle: Chronicle;
  readonly #acted: () => void;
  #renewals = 0;

  /**
   * @param acted called when somebody who waits for a verdict should look again
   * @param kick wakes the loop
   */
  constructor(options: FleetOptions, { acted, kick }: { acted: () => void; kick: () => void }) {
    this.options = options;
    this.chronicle = new Chronicle(options.clock);
    this.claiming = new Claiming(this, kick);
    this.pushes = new CheckpointPushes(this, kick);
    this.shipping = new Shipping(this);
    this.connection = newConnection(stampOf(options.clock));
    this.#acted = acted;
  }

  async perform(action: Exclude<Action, { do: 'wait' }>): Promise<void> {
    switch (action.do) {
      case 'heartbeat':
        return this.heartbeat();
      case 'renew':
        return this.#renew(this.held.get(action.key) as Held);
      case 'push':
        return this.pushes.begin(this.held.get(action.key) as Held);
      case 'replay':
        return this.#replay(this.held.get(action.key) as Held);
      case 'claim':
        return this.claiming.claim(action.requestId);
      case 'poll':
        return this.claiming.poll();
      case 'settle-poll':
        return this.claiming.settlePoll();
      case 'give-up-poll':
        return this.claiming.giveUpPoll();
    }
  }

  async heartbeat(): Promise<void> {
    const { client, config, clock, log } = this.options;
    const { running, maxParallel } = this.runner?.capacity() ?? { running: 0, maxParallel: 1 };
    const load = Math.round((running / maxParallel) * 100) / 100;
    this.shortages = (await this.runner?.shortages()) ?? [];
    const health = this.options.claims.isDraining
      ? 'draining'
      : this.shortages.length > 0
        ? 'degraded'
        : 'ok';
    const outcome = await client.heartbeat({ capabilities: await this.capabilities(), health, load });
    const now = stampOf(clock);
    if (outcome.kind === 'fenced' || outcome.kind === 'refused')
      return this.failed({ kind: 'unreachable', why: 'it does not take this factory’s heartbeat' });
    if (outcome.kind !== 'accepted') return this.failed(outcome);
    if (this.connection.phase !== 'reachable') {
      log.info(`The coordinator at ${config.api} answers.`);
      // It may have been away for long: every lease is renewed before anything else (rule 8).
      for (const held of this.held.values()) held.lease = doubted(held.lease, 'outage');
    }
    this.lastHeartbeat = now;
    this.roundTripMs = Math.round(elapsed(outcome.sentAt, now));
    this.chronicle.heartbeat(`accepted in ${this.roundTripMs} ms, ${health}, load ${load}`);
    this.claimable = outcome.value.claimable;
    this.claiming.offered(outcome.value.longPollSec);
    const pause = (outcome.value.nextHeartbeatSec ?? config.renewEveryMs / SECOND) * SECOND;
    this.connection = answered(this.connection, now, pause);
    if (this.options.shadow && (this.claimable ?? 0) > 0)
      log.info(`Shadow mode: ${this.claimable} jobs could be claimed; none is.`);
  }

  async #renew(held: Held): Promise<void> {
    this.#renewals += 1;
    held.renewKey ??= keyOf(held, `renew-${stampOf(this.options.clock).wall}-${this.#renewals}`);
    const outcome = await this.options.client.renew({
      jobId: held.jobId,
      epoch: held.epoch,
      key: held.renewKey,
    });
    if (outcome.kind === 'unreachable') return this.failed(outcome);
    held.renewKey = undefined;
    if (outcome.kind !== 'accepted') return this.#turnedAway(held, outcome);
    this.#extend(held, outcome.value.leaseMs, outcome.sentAt);
    this.served();
    if (held.shipHeld && this.options.outbox.waiting(held.id) === 0) this.shipping.again(held);
  }

  #extend(held: Held, leaseMs: number | undefined, sentAt: Stamp): void {
    held.lease = extended(held.lease, leaseMs, sentAt);
    if (isBefore(sentAt, held.slept)) held.lease = doubted(held.lease, 'sleep');
  }

  async #replay(held: Held): Promise<void> {
    const { client, outbox } = this.options;
    await outbox.settle(held.id);
    const report = outbox.next(held.id);
    if (report === undefined) return;
    const call = { jobId: held.jobId, epoch: held.epoch, key: keyOf(held, report.sequence) };
    const outcome =
      report.what === 'release'
        ? await client.release(call)
        : await client.report({ ...call, stage: report.what, checkpoint: report.checkpoint });
    const isLast = isTerminal(report.what);
    if (outcome.kind === 'accepted') {
      this.served();
      this.#extend(held, outcome.value.leaseMs, outcome.sentAt);
      await outbox.done(held.id, report.sequence);
      this.chronicle.transition(`${held.jobId}, epoch ${held.epoch}: ${report.what}`);
      if (isLast) return this.end(held);
      if (held.shipHeld && outbox.waiting(held.id) === 0) this.shipping.again(held);
      return;
    }
    // It was to end anyway, and there is no result that could be stale.
    if (isLast && (outcome.kind === 'fenced' || outcome.kind === 'refused')) return this.end(held);
    if (outcome.kind !== 'refused') return this.#turnedAway(held, outcome);
    // Not repeated for ever (rule 8): if it is so already, it was accepted and the answer was lost.
    const job = await client.job(held.jobId);
    if (job.kind === 'unreachable' || job.kind === 'unauthorized') return this.failed(job);
    const isSo =
      job.kind === 'accepted' &&
      job.value.stage === report.what &&
      (job.value.epoch ?? held.epoch) === held.epoch;
    if (isSo) return outbox.done(held.id, report.sequence);
    await this.takeAway(held, {
      code: 'refused',
      text: `The coordinator refused the report “${report.what}” (${outcome.code}). Nothing of the job was shipped, and its work is kept.`,
    });
  }

  /** What a call that carried an epoch was answered, where that was not yes. */
  async #turnedAway(held: Held, outcome: Failure): Promise<void> {
    if (outcome.kind === 'unreachable' || outcome.kind === 'unauthorized') return this.failed(outcome);
    const mine = held.shipAsked ? await this.shipping.isOurs(held) : false;
    if (mine === undefined) return; // the connection is lost; it is asked again
    if (mine) {
      held.lease = landing(held.lease);
      // Given up here before anybody knew that it was allowed to land: there is nothing left to tell.
      if (isTerminal(held.stage)) return this.end(held);
      if (held.shipHeld) this.shipping.again(held);
      return;
    }
    const now = outcome.kind === 'fenced' ? outcome.currentEpoch : undefined;
    await this.takeAway(
      held,
      outcome.kind === 'fenced'
        ? { ...staleText(held, now), facts: { ...(now !== undefined && { currentEpoch: now }) } }
        : {
            code: 'refused',
            text: `The coordinator refused it (${outcome.code}). Nothing of the job was shipped, and its work is kept.`,
          },
    );
  }

  /** The epoch is no longer ours: whatever of it runs is killed, and nothing more is sent under it (rule 9). */
  async takeAway(held: Held, why: Revocation): Promise<void> {
    const { outbox, log, clock } = this.options;
    const facts = { ...staleFacts(held, undefined, stampOf(clock)), ...why.facts };
    held.lease = fenced(held.lease);
    log.warn(`fenced-abort ${held.id} (job ${held.jobId}, epoch ${held.epoch}): ${why.text}`);
    this.pushes.forget(held);
    this.held.delete(keyFor(held));
    this.chronicle.fenced({ id: held.id, jobId: held.jobId, epoch: held.epoch, text: why.text });
    this.#acted();
    await outbox.drop(held.id);
    // Not awaited: it ends processes, and one of them may wait for a permission that only this loop gives.
    this.runner
      ?.revoked(held.id, { ...why, facts })
      .catch((error: unknown) => log.error(`${held.id} could not be ended: ${messageOf(error)}`));
  }

  /**
   * Puts a report into the outbox; nothing of a claim that was fenced meanwhile: nobody would send it, and it would lie there for ever.
   * @throws what a disk says that takes no writes
   */
  async tell(held: Held, what: Report['what'], checkpoint?: Report['checkpoint']): Promise<void> {
    if (this.held.get(keyFor(held)) !== held || held.lease.verdict !== undefined) return;
    await this.options.outbox.add(held, what, checkpoint);
  }

  async end(held: Held): Promise<void> {
    held.lease = ended(held.lease);
    this.pushes.forget(held);
    this.held.delete(keyFor(held));
    await this.options.outbox.drop(held.id);
  }

  served(): void {
    this.connection = served(this.connection);
  }

  /** What the last heartbeat said of how many there are is no longer so. */
  claimed(): void {
    this.claimable = undefined;
  }

  failed(outcome: Extract<Outcome<never>, { kind: 'unreachable' | 'unauthorized' }>): void {
    const { clock, log, config } = this.options;
    const now = stampOf(clock);
    const before = this.connection.phase;
    this.chronicle.heartbeat(outcome.kind === 'unauthorized' ? 'the token was turned down' : outcome.why);
    if (outcome.kind === 'unauthorized') {
      const pressing = this.held.size > 0;
      this.connection = turnedDown(this.connection, now, pressing ? PRESSING : MINUTE);
      if (before !== 'unauthorized')
        log.error(
          `The coordinator at ${config.api} turns the token down (${outcome.status}). Nothing is claimed; jobs in work go on. Give it a valid AQ_FLEET_TOKEN.`,
        );
    } else {
      const pause = retryIn({
        failures: this.connection.failures + 1,
        random: this.random(),
        retryAfterMs: outcome.retryAfterMs,
        pressing: this.held.size > 0,
      });
      this.connection = lost(this.connection, now, outcome.why, pause);
      if (before !== 'unreachable')
        log.warn(`The coordinator at ${config.api} can't be reached: ${outcome.why}. Jobs in work go on.`);
    }
    this.claiming.interrupted();
  }

  waiting(): number {
    return [...this.held.values()].reduce((sum, { id }) => sum + this.options.outbox.waiting(id), 0);
  }

  /** What this factory offers now; also kept as `offers`. */
  async capabilities(): Promise<readonly string[]> {
    const { config, capabilities } = this.options;
    this.offers =
      config.capabilities ??
      // An engine that claimed jobs may not use here is none that this factory has to offer.
      (await capabilities()).filter((each) => {
        const [, engine] = /^engine:(.*)$/.exec(each) ?? [];
        if (engine === undefined) return true;
        return config.policy.engines?.includes(engine) ?? engine !== 'shell';
      });
    return this.offers;
  }

  random(): number {
    return (this.options.random ?? Math.random)();
  }
}
