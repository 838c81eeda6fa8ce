/**
 * This factory in a fleet: the runner's hooks, and one loop that does what session.ts says next (exchange.ts does
 * it). The loop is the only one that renews, replays and claims, so that these never overtake each other; `permit`
 * waits for it and then has `shipped` reported.
 */
import { SECOND } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
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
import { standing } from './lease.ts';
import { Operator } from './operator.ts';
import type { FleetOptions } from './options.ts';
import { overviewOf } from './overview.ts';
import { isTerminal, wireAction } from './report.ts';
import { newConnection, nextAction } from './session.ts';
import { asOfNow } from './shared-status.ts';
import { type FleetStatus, statusLines } from './status.ts';
import { readMemory, takeUpAll } from './take-up.ts';
import { askWhy, type Unclaimed } from './unclaimed.ts';
import { Vigil, WAKE_LOOK } from './vigil.ts';
import { whereaboutsOf } from './whereabouts.ts';

/** How long (ms) a runner that stops waits for its last reports. */
const LAST_REPORTS = 3 * SECOND;
/** The same where a checkpoint is on its way to its remote, ms. */
const LAST_PUSH = 20 * SECOND;

export class Fleet implements Hooks {
  readonly #options: FleetOptions;
  readonly #exchange: Exchange;
  readonly #vigil: Vigil;
  /** What a person may ask. */
  readonly operator: Operator;
  readonly #listeners = new Set<() => void>();
  #loaded = false;
  #unclaimed: readonly Unclaimed[] | undefined;
  /** By the process that is the runner. */
  #told: FleetStatus | undefined;
  #loop: Promise<void> | undefined;
  #stopping: AbortController | undefined;
  #wake = Promise.withResolvers<void>();
  #acted = Promise.withResolvers<void>();

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#exchange = new Exchange(options, { acted: () => this.#hasActed(), kick: () => this.#kick() });
    this.#vigil = new Vigil(this.#exchange);
    this.operator = new Operator(this.#exchange, {
      acted: () => this.#hasActed(),
      kick: () => this.#kick(),
      claim: () => this.claim(),
    });
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
    // The last calls of the runner before were given up: that says nothing of the network.
    this.#exchange.connection = newConnection(stampOf(this.#options.clock));
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
    const isOff = this.operator.hasLeft || this.#stopping?.signal.aborted !== false;
    if (shadow || claims.isDraining || isOff) return Promise.resolve(false);
    desk.ask();
    // A poll is under way already; what comes of it is put into the runner's hands.
    if (!reachable || desk.restMs() > 0 || pollPhase !== 'none') return Promise.resolve(false);
    const claimed = desk.want();
    this.#kick();
    return claimed;
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
      if (action.do === 'report') await this.#exchange.tell(held, action.stage, held.checkpoint);
      if (action.do === 'release') await this.#exchange.tell(held, 'release');
    } catch (error) {
      this.#notKept(held)(error);
    }
    this.#kick();
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
    return carryOut(this.operator, command);
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
      this.#vigil.look();
      const now = stampOf(clock);
      const action = nextAction(this.#session(), now);
      try {
        if (action.do === 'wait') {
          await this.#vigil.pause(action.ms, this.#wake.promise, signal);
          continue;
        }
        await this.#vigil.watch(this.#exchange.perform(action));
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

  /** Waits until everything before has been told and the lease is certain, or until that can't be had now. */
  async #settled(held: Held): Promise<Permission | 'ask'> {
    const { outbox, clock } = this.#options;
    for (;;) {
      this.#vigil.look();
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
