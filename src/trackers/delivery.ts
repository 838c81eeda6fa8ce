/**
 * One comment to its issue, and what the answer does to those that wait. Effects only: what an answer means is decided
 * by the tracker, what is sent next in waiting.ts. A trouble is said once, and again when it has been over.
 */
import { type Clock, DAY } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { EchoBox } from './echo-box.ts';
import { pauseAfter, SPACING, WITHOUT_TOKEN } from './pause.ts';
import type { Issue, Outcome, Tracker } from './tracker.ts';
import type { Entry } from './waiting.ts';
import { commentText, markerOf } from './words.ts';

export interface DeliveryOptions {
  readonly box: EchoBox;
  readonly trackers: readonly Tracker[];
  /** The token for a host, which is sent to no other. */
  readonly tokenFor: (host: string) => Promise<string | undefined>;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 to 1; default Math.random. */
  readonly random?: () => number;
}

/** How long a comment waits for somebody to give a good token. */
const KEPT_WITHOUT_TOKEN = 7 * DAY;

export class Delivery {
  /** Until when (monotonic, ms) a host, or one issue, is left alone; by host or address. */
  readonly pausedUntil = new Map<string, number>();
  /** How often entries were tried in vain, by mark. */
  readonly tries = new Map<string, number>();
  readonly #options: DeliveryOptions;
  /** Of hosts, in a row. */
  readonly #failures = new Map<string, number>();
  /** The hosts and issues that are left alone because a token is missing or not good enough, and why. */
  readonly #needToken = new Map<string, string>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  matched(url: string): { tracker: Tracker; issue: Issue } | undefined {
    for (const tracker of this.#options.trackers) {
      const issue = tracker.matches(url);
      if (issue !== undefined) return { tracker, issue };
    }
    return undefined;
  }

  /** Whether any that wait do so only for their turn. */
  get canGoOn(): boolean {
    return this.#options.box.waiting.some(({ issue }) => {
      const host = this.hostOf(issue);
      return !this.#failures.has(host) && !this.#needToken.has(host) && !this.#needToken.has(issue);
    });
  }

  /** '' for an address that is none of an issue. */
  hostOf(url: string): string {
    return this.matched(url)?.issue.host ?? '';
  }

  /** Rejects when the disk fails, with nothing lost. */
  async send({ mark, issue: url }: Entry, signal: AbortSignal): Promise<void> {
    const { box, clock } = this.#options;
    const matched = this.matched(url);
    if (matched === undefined) return this.#drop(mark);
    const { tracker, issue } = matched;
    const token = await this.#token(issue.host);
    if (token === undefined) return this.#needsToken(issue.host, 'there is no token for it');
    if (signal.aborted) return;
    const triedAt = box.waiting.find((each) => each.mark === mark)?.triedAt;
    const entry = await box.tried(mark, clock.now());
    if (entry === undefined) return;
    const text = commentText(entry.id, entry.steps, entry.isCut ?? false);
    const marker = markerOf(entry.id, entry.run, mark);
    const outcome = await tracker.comment({ issue, text, marker, token, triedAt, signal });
    // It was given up, which says nothing of the tracker.
    if (signal.aborted && outcome.kind === 'unreachable') return;
    await this.#settle(entry, issue, outcome, triedAt === undefined);
  }

  /** What is left alone for want of a good token no longer is. */
  tokensChanged(): void {
    for (const key of this.#needToken.keys()) this.pausedUntil.delete(key);
    this.#needToken.clear();
  }

  /** @param isFirst no earlier try can have made the comment */
  async #settle(entry: Entry, issue: Issue, outcome: Outcome, isFirst: boolean): Promise<void> {
    const { box, log } = this.#options;
    const { host, url } = issue;
    if (outcome.kind === 'accepted' || outcome.kind === 'refused') {
      if (this.#failures.delete(host)) log.info(`${host} answers again; the comments that waited are made.`);
      for (const key of [host, url]) this.#needToken.delete(key);
      this.#pause(host, SPACING);
      if (outcome.kind === 'refused')
        log.warn(
          `${url} can’t be told of ${entry.id}: ${outcome.why}. The job goes on. Look at its \`tracker:\` and at what the token may do.`,
        );
      return this.#drop(entry.mark);
    }
    this.tries.set(entry.mark, (this.tries.get(entry.mark) ?? 0) + 1);
    if (outcome.kind === 'unreachable') this.#failed(host, outcome);
    else await this.#needsToken(outcome.scope === 'host' ? host : url, outcome.why);
    const isUnknown = outcome.kind === 'unreachable' && outcome.isUnknown;
    if (isFirst && !isUnknown) await box.untried(entry.mark);
  }

  #failed(
    host: string,
    { why, retryAfterMs }: { readonly why: string; readonly retryAfterMs?: number },
  ): void {
    const { log, random = Math.random } = this.#options;
    const failures = (this.#failures.get(host) ?? 0) + 1;
    this.#failures.set(host, failures);
    this.#pause(host, pauseAfter(failures, random(), retryAfterMs));
    if (failures === 1) log.warn(`${host} takes no comments now: ${why}. They wait; jobs go on.`);
  }

  /** @param key the host, or the address of the one issue */
  async #needsToken(key: string, why: string): Promise<void> {
    const { box, clock, log } = this.#options;
    this.#pause(key, WITHOUT_TOKEN);
    if (this.#needToken.get(key) !== why)
      log.warn(
        `Comments on ${key} wait: ${why}. Jobs go on. Give a valid token in AQ_TRACKER_TOKEN, as HOST=TOKEN.`,
      );
    this.#needToken.set(key, why);
    const old = box.waiting.filter(
      ({ issue, at }) =>
        (issue === key || this.hostOf(issue) === key) && clock.now() - at > KEPT_WITHOUT_TOKEN,
    );
    if (old.length === 0) return;
    log.warn(`${old.length} comments on ${key} have waited for a token for 7 days and are dropped.`);
    await box.remove(new Set(old.map(({ mark }) => mark)));
  }

  async #token(host: string): Promise<string | undefined> {
    try {
      return (await this.#options.tokenFor(host)) || undefined;
    } catch {
      // Its words are not used: they come from where tokens are kept.
      this.#options.log.warn(`The token for ${host} could not be read.`);
      return undefined;
    }
  }

  #pause(key: string, ms: number): void {
    this.pausedUntil.set(key, this.#options.clock.monotonic() + ms);
  }

  #drop(mark: string): Promise<void> {
    this.tries.delete(mark);
    return this.#options.box.remove(new Set([mark]));
  }
}
