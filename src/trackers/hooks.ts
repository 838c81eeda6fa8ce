/**
 * The echo beside whatever else hears of a job's transitions (a fleet, or nobody). Nothing of it is read from disk
 * until a job has a tracker, or an earlier process has left something to be told.
 */
import { access } from 'node:fs/promises';
import path from 'node:path';
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
import type { TrackerEcho } from './echo.ts';
import type { OpenTrackerEcho } from './open.ts';

/** How long (ms) a runner that stops waits for its last comments. */
const LAST_COMMENTS = 3 * SECOND;

export class EchoingHooks implements Hooks {
  readonly #hooks: Hooks;
  readonly #options: OpenTrackerEcho;
  #echo: Promise<TrackerEcho> | undefined;

  /** @param hooks what hears of everything first */
  constructor(hooks: Hooks, options: OpenTrackerEcho) {
    this.#hooks = hooks;
    this.#options = options;
  }

  get policy() {
    return this.#hooks.policy;
  }

  async attach(runner: AttachedRunner, holdings: readonly Holding[]): Promise<void> {
    const isLeft = await access(path.join(this.#options.home, 'outbox', 'tracker.json')).then(
      () => true,
      () => false,
    );
    if (isLeft) await this.#open();
    await this.#hooks.attach(runner, holdings);
  }

  async detach(): Promise<void> {
    const echo = this.#echo;
    this.#echo = undefined;
    await Promise.all([this.#hooks.detach(), echo?.then((open) => open.dispose(LAST_COMMENTS))]);
  }

  claim(signal: AbortSignal): Promise<boolean> {
    return this.#hooks.claim(signal);
  }

  async transition(transition: Transition): Promise<void> {
    await this.#hooks.transition(transition);
    // A claimed job is its coordinator's to tell of.
    if (transition.tracker === undefined || transition.claim !== undefined) return;
    try {
      await (await this.#open()).transition(transition);
    } catch (error) {
      this.#options.log.error(`Comments on issues: ${messageOf(error)}. The job goes on.`);
    }
  }

  permit(
    job: { readonly id: string; readonly claim?: Claim | undefined },
    effect: Effect,
  ): Promise<Permission> {
    return this.#hooks.permit(job, effect);
  }

  whereabouts(jobId: string): Promise<Whereabouts | undefined> {
    return this.#hooks.whereabouts(jobId);
  }

  adopt(wish: AdoptionWish): Promise<Adoption> {
    return this.#hooks.adopt(wish);
  }

  carryOut(command: FleetCommand): Promise<CommandAnswer> {
    return this.#hooks.carryOut(command);
  }

  status(): readonly string[] {
    return this.#hooks.status();
  }

  /** A token has been given: what waited for one is told. */
  async tokensChanged(): Promise<void> {
    (await this.#echo)?.tokensChanged();
  }

  #open(): Promise<TrackerEcho> {
    this.#echo ??= import('./open.ts').then(({ openTrackerEcho }) => openTrackerEcho(this.#options));
    return this.#echo;
  }
}
