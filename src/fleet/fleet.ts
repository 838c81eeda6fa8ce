/**
 * This factory in a fleet: the runner's hooks, and one loop that does what session.ts says next (exchange.ts does
 * it). The loop is the only one that renews, replays and claims, so that these never overtake each other; `permit`
 * waits for it and then has `shipped` reported.
 */
import { MINUTE, SECOND } from '../platform/clock.ts';
import { messageOf, UserError } from '../platform/errors.ts';
import type {
  Adoption,
  AdoptionWish,
  AttachedRunner,
  Claim,
  CommandAnswer,
  Effect,
  FleetCommand,
  Holding,
  Hooks,
  Permission,
  Transition,
  Whereabouts,
} from '../runner/hooks.ts';
import { adopt } from './adoption.ts';
import { carryOut } from './commands.ts';
import { elapsed, stampOf } from './elapsed.ts';
import { Exchange } from './exchange.ts';
import { type Held, keyFor } from './held.ts';
import { doubted, standing } from './lease.ts';
import type { FleetOptions } from './options.ts';
import type { Report } from './outbox.ts';
import { overviewOf } from './overview.ts';
import { isTerminal, wireAction } from './report.ts';
import { nextAction, woke } from './session.ts';
import { asOfNow } from './shared-status.ts';
import { SleepWatch } from './sleep-watch.ts';
import { type FleetStatus, statusLines } from './status.ts';
import { readMemory, takeUpAll } from './take-up.ts';
import { askWhy, type Unclaimed } from './unclaimed.ts';
import { whereaboutsOf } from './whereabouts.ts';

/** While something depends on it, it is looked this often (ms) whether the machine has slept: no event tells. */
const WAKE_LOOK = 2 * SECOND;
/** How long (ms) a runner that stops waits for its last reports. */
const LAST_REPORTS = 3 * SECOND;
/** The same where a checkpoint is on its way to its remote, ms. */
const LAST_PUSH = 20 * SECOND;

function notNow(code: string, message: string, action: string): UserError {
  return new UserError(code, `${message} Nothing was changed.`, action);
}

export class Fleet implements Hooks {
  readonly #options: FleetOptions;
  readonly #exchange: Exchange;
  readonly #listeners = new Set<() => void>();
  #loaded = false;
  #left = false;
  #unclaimed: readonly Unclaimed[] | undefined;
  /** By the process that is the runner. */
  #told: FleetStatus | undefined;
  #loop: Promise<void> | undefined;
  #stopping: AbortController | undefined;
  #wake = Promise.withResolvers<void>();
  #acted = Promise.withResolvers<void>();
  readonly #sleep: SleepWatch;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#exchange = new Exchange(options, { acted: () => this.#hasActed(), kick: () => this.#kick() });
    this.#sleep = new SleepWatch(options.clock);
  }

  get policy() {
    return this.#options.config.policy;
  }

  async attach(runner: AttachedRunner, holdings: readonly Holding[]): Promise<void> {
    this.#exchange.runner = runner;
    this.#told = undefined;
    if (!this.#loaded) await readMemory(this.#options);
    this.#loaded = true;
    await takeUpAll(this.#exchange, holdings);
    if (this.#loop !== undefined) return;
    this.#stopping = new AbortController();
    this.#loop = this.#run(this.#stopping.signal);
  }

  async detach(): Promise<void> {
    const { clock } = this.#options;
    const from = stampOf(clock);
    while (this.#exchange.waiting() > 0 && ['new', 'reachable'].includes(this.#exchange.connection.phase)) {
      const limit = this.#exchange.pushes.isUnderWay ? LAST_PUSH : LAST_REPORTS;
      if (elapsed(from, stampOf(clock)) > limit) break;
      this.#kick();
      const over = new AbortController();
      const patience = clock.sleep(LAST_REPORTS, over.signal).catch(() => undefined);
      await Promise.race([this.#acted.promise, patience]);
      over.abort();
    }
    this.#stopping?.abort();
    this.#exchange.pushes.giveUp();
    this.#kick();
    this.#exchange.claiming.interrupted();
    // A call under way is not waited for: whatever it was is repeated under the same key.
    await this.close();
    await this.#loop;
    this.#loop = undefined;
    this.#exchange.runner = undefined;
    // Another process may be the runner next: what is true then is on disk, not here.
    this.#exchange.held.clear();
    this.#loaded = false;
    await this.#options.shared.end();
  }

  /** Closes connections; a later call opens new ones. */
  close(): Promise<void> {
    return this.#options.client.close();
  }

  claim(): Promise<boolean> {
    const { desk, pollPhase } = this.#exchange.claiming;
    const reachable = ['new', 'reachable'].includes(this.#exchange.connection.phase);
    const { shadow, claims } = this.#options;
    const isOff = this.#left || this.#stopping?.signal.aborted !== false;
    if (shadow || claims.isDraining || isOff) return Promise.resolve(false);
    desk.ask();
    // A poll is under way already; what comes of it is put into the runner's hands.
    if (!reachable || desk.restMs() > 0 || pollPhase !== 'none') return Promise.resolve(false);
    const claimed = desk.want();
    this.#kick();
    return claimed;
  }

  /**
   * Claims at a person's word, whatever rests. True when a job has come; else what kept it.
   * @throws UserError `no-runner`, `draining`, `shadow` where nothing can be claimed at all
   */
  async claimNow(): Promise<boolean> {
    const { shadow, claims } = this.#options;
    if (shadow)
      throw notNow('shadow', 'Shadow mode only looks: nothing is claimed.', 'Set AQ_FLEET=1 to take part.');
    if (claims.isDraining)
      throw notNow(
        'draining',
        'This factory is draining, so nothing is claimed.',
        'Run “Fleet: Resume” first.',
      );
    if (this.#exchange.runner === undefined)
      throw notNow(
        'no-runner',
        'No runner is on in this window, so nothing is claimed.',
        'Start the runner first.',
      );
    const { claiming, runner } = this.#exchange;
    const held = runner.capacity().held;
    if (held !== undefined)
      throw notNow(
        'budget',
        `Nothing is claimed ${held}.`,
        'Raise the ceiling of a day in the settings (`agentQueue.budget`) first.',
      );
    claiming.desk.wake();
    claiming.giveUpPoll();
    return this.claim();
  }

  /**
   * Nothing more is claimed; jobs in work go on to their end. Kept in the home until `resume`.
   * @param options.leaving fleet mode is to end when the last lease is settled (rule 1)
   * @throws UserError `no-runner` where the runner is not in this process
   */
  async drain(draining: boolean, options: { readonly leaving?: boolean } = {}): Promise<void> {
    this.#mustRunHere();
    await this.#options.claims.drain(draining, options.leaving);
    this.#exchange.claiming.interrupted();
    this.#hasActed();
    await this.#exchange.heartbeat();
    this.#hasActed();
  }

  /** Nothing more is claimed by this process, and a later one begins without what `drain` said: fleet mode is being turned off. */
  async leave(): Promise<void> {
    this.#mustRunHere();
    this.#left = true;
    this.#exchange.claiming.interrupted();
    await this.#options.claims.drain(false);
  }

  /** Ends the job here and gives its lease back, so that another factory can have it. Its work is kept on its ref. */
  async releaseLease(id: string): Promise<void> {
    this.#mustRunHere();
    const held = [...this.#exchange.held.values()].find((each) => each.id === id);
    if (held === undefined || held.lease.verdict !== undefined) {
      throw notNow('no-lease', `${id} has no lease that could be given back.`, 'Look at “Fleet: Status”.');
    }
    if (held.shipAsked) {
      throw notNow(
        'on-its-way',
        `${id} was reported as shipped, and the coordinator has not answered yet.`,
        'Wait until it answers: the job then ships, or its result goes into quarantine.',
      );
    }
    const text = 'Its lease was given back by a person. What had been done is kept.';
    await this.#exchange.runner?.revoked(id, { code: 'released', text });
    await this.#exchange.claiming.declined(held);
    await this.#tell(held, 'release');
    this.#kick();
  }

  /** Outbox and claims are the runner's: written from elsewhere they could lose what it has just kept. */
  #mustRunHere(): void {
    if (this.#exchange.runner !== undefined) return;
    throw notNow(
      'no-runner',
      'The runner is not on in this window, so it cannot be told.',
      'Do it in the window that runs the jobs, or start the runner here first.',
    );
  }

  async transition({ claim, to, reasonCode, checkpoint }: Transition): Promise<void> {
    const held = claim && this.#exchange.held.get(keyFor(claim));
    // Somebody's own job may have taken the last place that a poll is waiting for.
    if (held === undefined) return this.#exchange.claiming.pollPhase === 'waiting' ? this.#kick() : undefined;
    held.stage = to;
    held.checkpoint = checkpoint ?? held.checkpoint;
    try {
      // As far as the coordinator knows it has shipped; whoever gives it up here settles it.
      const isSettled = held.lease.verdict === 'landing' && isTerminal(to);
      if (to === 'shipped' || isSettled) return await this.#exchange.end(held);
      if (held.lease.verdict !== undefined) return;
      const action = wireAction(to, reasonCode);
      // Whatever this laptop gives back it does not take again at once: that would go round for ever.
      if (action.do === 'release') await this.#exchange.claiming.declined(held).catch(this.#notKept(held));
      if (action.do === 'report') await this.#tell(held, action.stage, held.checkpoint);
      if (action.do === 'release') await this.#tell(held, 'release');
    } catch (error) {
      this.#notKept(held)(error);
    }
    this.#kick();
  }

  /** Nothing of a claim that was fenced meanwhile: nobody would send it, and it would lie in the outbox for ever. */
  async #tell(
    held: Held,
    ...report: [what: Report['what'], checkpoint?: Report['checkpoint']]
  ): Promise<void> {
    if (this.#exchange.held.get(keyFor(held)) !== held || held.lease.verdict !== undefined) return;
    await this.#options.outbox.add(held, ...report);
  }

  /** It is told from memory; what a crash would lose is found again at the next start, from the stage that the job is in. */
  #notKept({ id }: Held): (error: unknown) => void {
    return (error) => this.#options.log.error(`${id}: its report is not on disk: ${messageOf(error)}`);
  }

  async permit({ claim }: { readonly claim?: Claim | undefined }, _effect: Effect): Promise<Permission> {
    if (claim === undefined || claim.mayLand === true) return 'accepted';
    const held = this.#exchange.held.get(keyFor(claim));
    if (held === undefined) return 'held';
    const settled = await this.#settled(held);
    return settled === 'ask' ? this.#exchange.shipping.ask(held) : settled;
  }

  whereabouts(jobId: string): Promise<Whereabouts | undefined> {
    return whereaboutsOf(this.#options.client, jobId, this.#options.clock.now());
  }

  adopt(wish: AdoptionWish): Promise<Adoption> {
    return adopt(this.#exchange, wish);
  }

  carryOut(command: FleetCommand): Promise<CommandAnswer> {
    return carryOut(this, command);
  }

  /** Called after anything of what `facts` tells may have changed. Returns the unsubscribe. */
  onDidChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): readonly string[] {
    return statusLines(this.facts());
  }

  /** All that is known, for status output. */
  facts(): FleetStatus {
    const own = overviewOf(this.#exchange, this.#unclaimed);
    const told = this.#told;
    if (told === undefined || own.isHere) return own;
    // What this process has asked itself is newer.
    const { connection, claimable, roundTripMs, lastHeartbeat, capabilities } =
      own.connection.phase === 'new' ? told : own;
    return {
      ...asOfNow(told, own.now),
      isHere: false,
      connection,
      capabilities,
      unclaimed: own.unclaimed,
      roundTripMs,
      ...(claimable !== undefined && { claimable }),
      ...(lastHeartbeat !== undefined && { lastHeartbeat }),
    };
  }

  /** Reads what the process that runs the home's jobs knows of the fleet, where that is another one. */
  async lookElsewhere(): Promise<void> {
    if (this.#exchange.runner === undefined) this.#told = await this.#options.shared.read();
  }

  /** Asks the coordinator why queued jobs are not claimed by this factory, for `facts`; what it does not tell stays unknown. */
  async lookWhy(): Promise<void> {
    this.#unclaimed = await askWhy(this.#options.client);
    this.#hasActed();
  }

  /** One heartbeat, now, outside the loop: for `aq fleet-status`. */
  async heartbeat(): Promise<void> {
    await this.#exchange.heartbeat();
    this.#hasActed();
  }

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
        await this.#watched(this.#exchange.perform(action));
      } catch (error) {
        log.error(`Fleet: ${messageOf(error)}; it goes on. Nothing is lost.`);
        await clock.sleep(WAKE_LOOK, signal).catch(() => undefined);
      }
      this.#hasActed();
    }
  }

  #session() {
    const { outbox, claims, config } = this.#options;
    const { claiming, runner } = this.#exchange;
    const { running, maxParallel, held } = runner?.capacity() ?? { running: 0, maxParallel: 0 };
    const hasRoom = held === undefined && running < maxParallel;
    return {
      connection: this.#exchange.connection,
      jobs: [...this.#exchange.held].map(([key, held]) => ({
        key,
        lease: held.lease,
        waiting: outbox.waiting(held.id),
        push: this.#exchange.pushes.phaseOf(held, outbox.next(held.id)),
      })),
      unfinishedClaims: this.#options.shadow ? [] : claims.unfinished,
      // What can't be started here is somebody else's to have.
      wantsJob: claiming.desk.isWanted && held === undefined,
      welcomesJob: claiming.desk.isWelcome && hasRoom,
      offersPolls: claiming.offersPolls,
      poll: claiming.pollPhase,
      claimRestMs: claiming.desk.restMs(),
      renewEveryMs: config.renewEveryMs,
    };
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const meantMs = Math.min(ms, this.#matters() ? WAKE_LOOK : MINUTE);
    // Nobody is told: nothing has happened, and who waits for a verdict would wake us at once, and so on for ever.
    this.#sleep.pauses(meantMs);
    const over = new AbortController();
    const heard = this.#wake.promise.then(() => over.abort());
    await clock.sleep(meantMs, AbortSignal.any([over.signal, signal])).catch(() => undefined);
    over.abort();
    void heard;
  }

  /** A machine may fall asleep in the midst of a call or a write as well: what ends late is then a look beside it. */
  async #watched(action: Promise<void>): Promise<void> {
    const over = new AbortController();
    const watch = async () => {
      while (this.#matters()) {
        this.#sleep.pauses(WAKE_LOOK);
        await this.#options.clock.sleep(WAKE_LOOK, over.signal);
        this.#look();
      }
    };
    // It ends by being aborted.
    const watching = watch().catch(() => undefined);
    try {
      await action;
    } finally {
      over.abort();
      await watching;
    }
  }

  /** Something depends on noticing a sleep. */
  #matters(): boolean {
    return [...this.#exchange.held.values()].some(({ lease }) => lease.verdict === undefined);
  }

  /** Notices that the machine has slept, or that a clock was set: then every lease is in doubt (rule 4). */
  #look(): void {
    const ms = this.#sleep.look();
    if (ms === undefined) return;
    this.#options.log.info(
      `This machine slept, or its clock was set (about ${Math.round(ms / SECOND)} s). Nothing leaves it for claimed jobs until their leases are renewed.`,
    );
    const wokeAt = this.#options.clock.now();
    for (const held of this.#exchange.held.values()) {
      held.lease = doubted(held.lease, 'sleep');
      held.slept = { ms, wokeAt };
    }
    this.#exchange.connection = woke(this.#exchange.connection);
    this.#exchange.claiming.interrupted();
    this.#exchange.pushes.giveUp();
  }

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
      if (isOff || !['new', 'reachable'].includes(this.#exchange.connection.phase)) {
        held.shipHeld = true;
        return held.shipAsked ? 'unanswered' : 'held';
      }
      const acted = this.#acted.promise;
      this.#kick();
      await acted;
    }
  }

  #kick(): void {
    this.#wake.resolve();
  }

  #hasActed(): void {
    this.#acted.resolve();
    this.#acted = Promise.withResolvers();
    if (this.#exchange.runner !== undefined) this.#options.shared.changed(() => this.facts());
    for (const listener of this.#listeners) listener();
  }
}
