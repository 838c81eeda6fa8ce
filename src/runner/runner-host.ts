/**
 * The runner of a home, wherever it is: in this process when it has the seat, else in another, to which requests
 * are passed on. With no runner anywhere a request is carried out here, by a runner that does nothing else.
 */
import { type Clock, SECOND } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Command, CommandAnswer, RunnerPlace } from './board.ts';
import { carryOut } from './commands.ts';
import { DISK_RETRY } from './drive.ts';
import type { Mailbox } from './home/mailbox.ts';
import type { Seat } from './home/seat.ts';
import type { Runner } from './runner.ts';

export interface RunnerHostOptions {
  readonly seat: Seat;
  readonly mailbox: Mailbox;
  readonly clock: Clock;
  readonly log: Log;
  /** Makes a runner; one that takes no jobs only carries out requests. */
  readonly newRunner: (takesJobs: boolean) => Runner;
  /** Called when a runner has begun or ended here. */
  readonly changed: () => void;
}

/** The pause between two tries to become the runner: short at first, because after a reload the old window may still be going. */
const TAKEOVER = { first: 100, later: 1 * SECOND, firstTries: 50 };
/** How often a request's answer is looked for although nothing was heard, ms. */
const ANSWER_LOOK = 500;

/** The answer to a request whose runner died while it was carrying it out. */
const RUNNER_GONE: CommandAnswer = {
  ok: false,
  code: 'runner-gone',
  message: 'The process that runs the jobs ended before it answered. The job is in exactly one stage.',
  action: 'Look at `aq status`, and ask again if need be.',
};

/** The answer when the runner could not take up what there is. */
function notBegun(error: unknown): CommandAnswer {
  return {
    ok: false,
    code: 'not-begun',
    message: `The runner could not begin: ${messageOf(error)}. Nothing was changed.`,
    action: 'Look at the log, mend that, and start the runner again.',
  };
}

export class RunnerHost {
  readonly #options: RunnerHostOptions;
  readonly #mail = new EventTarget();
  #runner: Runner | undefined;
  /** Until it has taken up what there is, and the fleet knows of that, the runner here carries nothing out. */
  #started: Promise<void> = Promise.resolve();
  /** There while this process wants to be the runner. */
  #wanted: AbortController | undefined;
  /** The wait for the seat. */
  #pending: Promise<void> = Promise.resolve();
  /** The runner here is leaving: it begins nothing more. */
  #leaving: Promise<void> | undefined;
  /** Requests that are being carried out here. */
  readonly #asked = new Set<Promise<CommandAnswer>>();

  constructor(options: RunnerHostOptions) {
    this.#options = options;
  }

  place(): Promise<RunnerPlace> {
    return this.#options.seat.place();
  }

  /** Something may have happened that the runner here, if there is one, should look at. */
  wake(): void {
    this.#runner?.wake();
  }

  /** Becomes the runner as soon as nobody else is. Resolves when it is, or when the wait has begun. */
  async start(): Promise<void> {
    if (this.#wanted !== undefined) return;
    this.#wanted = new AbortController();
    const { signal } = this.#wanted;
    const first = this.#begin();
    // A stop that comes meanwhile waits for this as well, or it would miss the runner that is just beginning.
    this.#pending = first.then(
      (began) => (began ? undefined : this.#waitForSeat(signal)),
      () => undefined,
    );
    await first;
  }

  async stop(): Promise<void> {
    this.#wanted?.abort();
    this.#wanted = undefined;
    await this.#pending;
    await this.#end();
  }

  /** Resolves when this process is the runner and there is nothing that could be run now. */
  async idle(): Promise<void> {
    await this.#pending;
    await this.#runner?.idle();
  }

  /** Resolves when the request is answered, by whoever is the runner. */
  async execute(command: Command): Promise<CommandAnswer> {
    while (this.#leaving !== undefined) await this.#leaving;
    if (this.#runner !== undefined) return this.#carryOut(this.#runner, command);
    return (await this.#options.seat.take()) ? this.#executeAlone(command) : this.#passOn(command);
  }

  /** A request or an answer has come. */
  mailCame(): void {
    this.#mail.dispatchEvent(new Event('mail'));
    this.#readMail();
  }

  async #waitForSeat(signal: AbortSignal): Promise<void> {
    for (let n = 0; !signal.aborted; n += 1) {
      const pause = n < TAKEOVER.firstTries ? TAKEOVER.first : TAKEOVER.later;
      await this.#options.clock.sleep(pause, signal).catch(() => undefined);
      if (!signal.aborted && (await this.#begin())) return;
    }
  }

  /** Becomes the runner, if nobody else is. */
  async #begin(): Promise<boolean> {
    if (!(await this.#options.seat.take())) return false;
    await this.#answerAbandoned();
    this.#runner = this.#options.newRunner(true);
    this.#started = this.#runner.start();
    await this.#started;
    this.#readMail();
    this.#options.changed();
    return true;
  }

  /** Lets go of the runner that is here now; nothing when there is none. */
  #end(): Promise<void> {
    this.#leaving ??= this.#leave().finally(() => {
      this.#leaving = undefined;
    });
    return this.#leaving;
  }

  async #leave(): Promise<void> {
    if (this.#runner === undefined) return;
    const { seat, log, changed } = this.#options;
    // Whatever it could not write down: nothing of it is in work any more, and the seat is somebody else's to have.
    await this.#runner.stop().catch((error: unknown) => log.error(messageOf(error)));
    // What a person has decided is on disk before the next runner looks, or that would miss it.
    while (this.#asked.size > 0) await Promise.all(this.#asked);
    this.#runner = undefined;
    await seat.leave();
    changed();
  }

  async #executeAlone(command: Command): Promise<CommandAnswer> {
    const runner = this.#options.newRunner(false);
    this.#runner = runner;
    // It takes nothing up, but a fleet has to know of it before it is asked whether a job may ship.
    this.#started = runner.start();
    const answer = this.#carryOut(runner, command);
    this.#endWhenDone(runner).catch((error: unknown) => this.#options.log.error(messageOf(error)));
    return answer;
  }

  #carryOut(runner: Runner, command: Command): Promise<CommandAnswer> {
    const answer = this.#started.then(() => carryOut(runner, command), notBegun);
    this.#asked.add(answer);
    void answer.finally(() => this.#asked.delete(answer));
    return answer;
  }

  /** When everything that was asked of it has been answered, and what came of it has come to its end. */
  async #endWhenDone(runner: Runner): Promise<void> {
    do {
      await Promise.all(this.#asked);
      await runner.drained();
    } while (this.#asked.size > 0);
    if (this.#runner === runner) await this.#end();
  }

  async #passOn(command: Command): Promise<CommandAnswer> {
    const { mailbox, seat } = this.#options;
    const ticket = await mailbox.post(command);
    for (;;) {
      const answer = await mailbox.collect(ticket);
      if (answer !== undefined) return answer;
      if (await seat.take()) {
        if (await mailbox.withdraw(ticket)) return this.#executeAlone(command);
        await this.#answerAbandoned();
        await seat.leave();
        return (await mailbox.collect(ticket)) ?? RUNNER_GONE;
      }
      await this.#mailOr(ANSWER_LOOK);
    }
  }

  /** Whoever has the seat knows: a request that somebody had begun with will not be answered by them any more. */
  async #answerAbandoned(): Promise<void> {
    const { mailbox, log } = this.#options;
    await mailbox.answerAbandoned(RUNNER_GONE).catch((error: unknown) => log.warn(messageOf(error)));
  }

  async #mailOr(ms: number): Promise<void> {
    const heard = new AbortController();
    const listener = () => heard.abort();
    this.#mail.addEventListener('mail', listener, { once: true });
    await this.#options.clock.sleep(ms, heard.signal).catch(() => undefined);
    this.#mail.removeEventListener('mail', listener);
  }

  #readMail(): void {
    const runner = this.#runner;
    // What comes while it leaves is the next one's.
    if (runner === undefined || this.#leaving !== undefined) return;
    const { mailbox, log, clock } = this.#options;
    const pause = async (trouble: unknown) => {
      log.warn(`An answer waits for the disk, which takes no writes (${messageOf(trouble)}).`);
      await clock.sleep(DISK_RETRY, runner.stopped).catch(() => undefined);
      return !runner.stopped.aborted;
    };
    mailbox
      .takeAll((command) => this.#carryOut(runner, command), pause)
      .catch((error: unknown) => log.error(`Requests could not be read or answered: ${messageOf(error)}`));
  }
}
