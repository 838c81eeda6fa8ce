/**
 * Tells a local job's issue how the job gets on: one comment for each transition, or one for several that had to
 * wait. What is to be told is on disk first; then one loop sends it, and what can't be sent now waits for a tracker
 * that answers, or for a token. A claimed job is its coordinator's to tell of.
 */
import { messageOf } from '../platform/errors.ts';
import type { Transition } from '../runner/hooks.ts';
import { Delivery, type DeliveryOptions } from './delivery.ts';
import { WITHOUT_TOKEN } from './pause.ts';
import { nextSend } from './waiting.ts';
import { stepOf } from './words.ts';

export interface EchoTransition extends Pick<Transition, 'id' | 'from' | 'to' | 'claim' | 'reasonCode'> {
  /** `tracker:` of the job's front matter. */
  readonly tracker?: string | undefined;
  /** The number of the job's run. */
  readonly run?: number | undefined;
}

export class TrackerEcho {
  readonly #options: DeliveryOptions;
  readonly #delivery: Delivery;
  readonly #stopping = new AbortController();
  #wake = Promise.withResolvers<void>();
  /** There is nothing that can be sent now. */
  #rested = Promise.withResolvers<void>();
  #loop: Promise<void> | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#delivery = new Delivery(options);
  }

  /** Begins to send, first what an earlier process has left. */
  start(): void {
    this.#loop ??= this.#run(this.#stopping.signal);
  }

  /** What is to be told of it is safe on disk when it resolves. Never rejects. */
  async transition(transition: EchoTransition): Promise<void> {
    const { id, from, to, tracker, claim, reasonCode, run = 0 } = transition;
    if (claim !== undefined || tracker === undefined || from === to) return;
    const { box, clock, log } = this.#options;
    const issue = this.#delivery.matched(tracker)?.issue.url;
    if (issue === undefined) return log.debug(`The tracker of ${id} is none that comments can be made on.`);
    try {
      const gone = await box.add({ id, run, issue, at: clock.now(), steps: [stepOf(to, reasonCode)] });
      if (gone > 0) log.warn(`Too many comments wait to be made on issues; the oldest ${gone} made way.`);
    } catch (error) {
      log.error(
        `What ${issue} is to be told of ${id} could not be kept: ${messageOf(error)}. The job goes on.`,
      );
    }
    this.#wake.resolve();
  }

  /** A token has been given or changed: what waited for one is tried at once. */
  tokensChanged(): void {
    this.#delivery.tokensChanged();
    this.#wake.resolve();
  }

  /**
   * Stops. What has not been sent stays on disk, and so does what it is told of afterwards.
   * @param patienceMs how long it may first go on with what can be sent now
   */
  async dispose(patienceMs = 0): Promise<void> {
    if (patienceMs > 0 && this.#loop !== undefined) {
      const over = new AbortController();
      const patience = this.#options.clock.sleep(patienceMs, over.signal).catch(() => undefined);
      this.#rested = Promise.withResolvers();
      this.#wake.resolve();
      await Promise.race([this.#rested.promise, patience]);
      over.abort();
    }
    this.#stopping.abort();
    this.#wake.resolve();
    await this.#loop;
    for (const tracker of this.#options.trackers) await tracker.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { box, clock, log } = this.#options;
    await this.#load(signal);
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      try {
        const next = nextSend(box.waiting, {
          hostOf: ({ issue }) => this.#delivery.hostOf(issue),
          pausedUntil: this.#delivery.pausedUntil,
          tries: this.#delivery.tries,
          now: clock.monotonic(),
        });
        if (next.do === 'send') await this.#delivery.send(next.entry, signal);
        else await this.#rest(next.ms, signal);
      } catch (error) {
        log.error(`Comments on issues: ${messageOf(error)}. They wait, and none is lost.`);
        await this.#rest(WITHOUT_TOKEN, signal);
      }
    }
  }

  async #load(signal: AbortSignal): Promise<void> {
    const { box, log } = this.#options;
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      try {
        const aside = await box.load();
        if (aside !== undefined)
          log.error(`The comments that wait to be made could not be read; they are kept as ${aside}.`);
        return;
      } catch (error) {
        log.error(`The comments that wait to be made can’t be read yet: ${messageOf(error)}.`);
        await this.#rest(WITHOUT_TOKEN, signal);
      }
    }
  }

  /** @param ms undefined: until there is something new */
  async #rest(ms: number | undefined, signal: AbortSignal): Promise<void> {
    if (ms === undefined || !this.#delivery.canGoOn) this.#rested.resolve();
    const over = new AbortController();
    const heard = this.#wake.promise.then(() => over.abort());
    if (ms === undefined) return heard;
    const either = AbortSignal.any([over.signal, signal]);
    await this.#options.clock.sleep(ms, either).catch(() => undefined);
  }
}
