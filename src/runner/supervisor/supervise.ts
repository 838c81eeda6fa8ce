/** A supervised run from its order to its end (contract.ts says what others see of it). */
import path from 'node:path';
import { type Clock, HOUR, SECOND } from '../../platform/clock.ts';
import { errnoOf } from '../../platform/errors.ts';
import { endTree, type GraceStep } from '../../platform/processes/end-tree.ts';
import { identityOf } from '../../platform/processes/table.ts';
import { AwakeTimer } from './awake.ts';
import { type Exit, type RunningCommand, startCommand } from './command.ts';
import {
  LOG_FILE,
  MARK_VARIABLE,
  type RunBegun,
  type RunEnd,
  type RunOrder,
  STOP_FILE,
  type StopRequest,
} from './contract.ts';
import { type DigestReader, EventReader, TextReader } from './digest.ts';
import { LogFile } from './log-file.ts';
import { lookUntil } from './look.ts';
import { LineMerger, OutputStream } from './output.ts';
import { readStop, writeBegun, writeEnd } from './records.ts';

/** What the command leaves behind gets this long (ms) to finish its output before it is ended. */
const DRAIN = SECOND / 2;
/** When nothing of the command is left, its streams are given up after this long (ms): somebody we could not find holds them. */
const CLOSE = 5 * SECOND;
/** A disk that takes no end.json is asked again for this long (ms): until then watchers see a run that goes on. */
const KEEP_TRYING = 24 * HOUR;
/** How long (ms) end.json waits for a log that cannot be written to its end. */
const LOG_FIRST = 30 * SECOND;
const LOOK_FOR_STOP = SECOND;

/** Why the command is ended before it exits. */
type Cause = Pick<RunEnd, 'stopReason'> & { readonly endedBy: 'timeout' | 'stop' | 'final-event' };

export interface Surroundings {
  readonly clock: Clock;
  /** Resolves when the system asks this process to go: the run is then stopped for `shutdown`. */
  readonly terminated: Promise<void>;
}

/**
 * Runs the order's command to its end and resolves when end.json is written (or, after KEEP_TRYING, could not be).
 * Rejects with the system's error, with nothing started, when begun.json cannot be written.
 */
export async function supervise(order: RunOrder, { clock, terminated }: Surroundings): Promise<void> {
  const over = new AbortController();
  const run = new Run(order, clock, over.signal);
  const begun = await run.begun();
  await writeBegun(order.dir, begun);
  try {
    const stopped = await requestedStop(order.dir);
    await run.finish(
      stopped === undefined ? await run.command(begun, terminated) : { ...stopped, ...NOT_STARTED },
    );
  } finally {
    over.abort();
  }
}

type Outcome = Pick<RunEnd, 'endedBy' | 'exitCode' | 'signal' | 'spawnError' | 'stopReason' | 'survivors'>;

const NOT_STARTED = { exitCode: null, signal: null, survivors: 0 };

class Run {
  readonly #order: RunOrder;
  readonly #clock: Clock;
  readonly #over: AbortSignal;
  readonly #awake: AwakeTimer;
  readonly #startedAt: number;
  readonly #log: LogFile;
  readonly #reader: DigestReader;
  readonly #final = Promise.withResolvers<void>();
  #running: RunningCommand | undefined;

  constructor(order: RunOrder, clock: Clock, over: AbortSignal) {
    this.#order = order;
    this.#clock = clock;
    this.#over = over;
    this.#awake = new AwakeTimer(clock, over);
    this.#startedAt = clock.now();
    this.#log = new LogFile(path.join(order.dir, LOG_FILE), () => this.#resume());
    this.#reader =
      order.events === null ? new TextReader() : new EventReader(order.events, () => this.#final.resolve());
  }

  async begun(): Promise<RunBegun> {
    const supervisor = await identityOf(process.pid);
    if (supervisor === undefined) throw new Error('The system does not tell of this process.');
    const { mark } = this.#order;
    return { version: 1, mark, supervisor, startedAt: this.#startedAt };
  }

  /** From the start of the command until nothing of it is left. */
  async command(begun: RunBegun, terminated: Promise<void>): Promise<Outcome> {
    const running = await startCommand(this.#order);
    if ('spawnError' in running) {
      this.#log.append(`[agent-queue: the command could not be started: ${running.explanation}]\n`);
      return { endedBy: 'spawn-error', spawnError: running.spawnError, ...NOT_STARTED };
    }
    this.#running = running;
    const streams = this.#read(running);
    if (running.identity.startTime !== '') void this.#tellBegun({ ...begun, child: running.identity });
    const first = await Promise.race([running.exited, this.#cause(terminated)]);
    const outcome = 'endedBy' in first ? await this.#end(running, first) : await this.#clear(running, first);
    await within(this.#clock, CLOSE, running.closed);
    running.stdout.destroy();
    running.stderr.destroy();
    for (const stream of streams) stream.end();
    this.#reader.end();
    return outcome;
  }

  /** Tells how it ended: durably, and in spite of a disk that is full for a while. */
  async finish(outcome: Outcome): Promise<void> {
    const clock = this.#clock;
    const end = {
      version: 1 as const,
      ...outcome,
      startedAt: this.#startedAt,
      endedAt: clock.now(),
      durationMs: Math.round(this.#awake.elapsed()),
      digest: this.#reader.digest,
    };
    const since = clock.monotonic();
    for (let pause = SECOND / 4; ; pause = Math.min(2 * pause, 15 * SECOND)) {
      const complete = await this.#log.flush();
      const tried = clock.monotonic() - since;
      // The last room is the log's for a while; then the end matters more.
      if (complete || tried > LOG_FIRST) {
        try {
          await writeEnd(this.#order.dir, { ...end, logBytes: this.#log.bytes });
          break;
        } catch (error) {
          // Without the directory there is nobody left to tell.
          if (errnoOf(error) === 'ENOENT' || tried > KEEP_TRYING) break;
        }
      }
      await clock.sleep(pause);
    }
    await this.#log.close();
  }

  #read({ stdout, stderr }: RunningCommand): readonly OutputStream[] {
    const { secrets, events } = this.#order;
    const merger = new LineMerger((text) => {
      // Plain text is judged by all that is printed, events only by standard output.
      if (events === null) this.#reader.push(text);
      if (!this.#log.append(text)) this.#pause();
    });
    const out = new OutputStream(secrets, merger, (text) => {
      if (events !== null) this.#reader.push(text);
    });
    const err = new OutputStream(secrets, merger);
    stdout.on('data', (bytes: Buffer) => out.push(bytes));
    stderr.on('data', (bytes: Buffer) => err.push(bytes));
    return [out, err];
  }

  #pause(): void {
    this.#running?.stdout.pause();
    this.#running?.stderr.pause();
  }

  #resume(): void {
    this.#running?.stdout.resume();
    this.#running?.stderr.resume();
  }

  /** The command's identity speeds up finding it later; without it (a full disk), its mark does. So this may take its time. */
  async #tellBegun(begun: RunBegun): Promise<void> {
    while (!this.#over.aborted) {
      try {
        return await writeBegun(this.#order.dir, begun);
      } catch {
        await this.#clock.sleep(SECOND, this.#over).catch(() => undefined);
      }
    }
  }

  /** The first reason to end the command. Rejects when the run is over without one. */
  #cause(terminated: Promise<void>): Promise<Cause> {
    const { dir, timeoutMs, lingerMs } = this.#order;
    const stop = lookUntil(dir, () => requestedStop(dir), {
      names: [STOP_FILE],
      everyMs: LOOK_FOR_STOP,
      clock: this.#clock,
      signal: this.#over,
    });
    const timeout = this.#awake.wait(timeoutMs ?? Infinity);
    const lingered = this.#final.promise.then(() => this.#clock.sleep(lingerMs, this.#over));
    return Promise.race<Cause>([
      stop,
      terminated.then(() => ({ endedBy: 'stop', stopReason: 'shutdown' })),
      // One that has had its last word before is only slow to go. What it says from here on, it says because it is ended.
      timeout.then(() => ({ endedBy: this.#reader.digest.final ? 'final-event' : 'timeout' })),
      lingered.then(() => ({ endedBy: 'final-event' })),
    ]);
  }

  /** Ends the command and all that it started. */
  async #end(running: RunningCommand, cause: Cause): Promise<Outcome> {
    const { interruptMs, terminateMs } = this.#order.grace;
    // A job that has been taken away has no time for manners: somebody else may be at it (fleet-protocol.md, rule 9).
    const steps: GraceStep[] =
      cause.stopReason === 'revoked'
        ? []
        : [
            { signal: 'SIGINT', waitMs: interruptMs },
            { signal: 'SIGTERM', waitMs: terminateMs },
          ];
    const survivors = await this.#endTree(running, steps);
    const exit = await within(this.#clock, CLOSE, running.exited);
    return { ...cause, ...(exit ?? { exitCode: null, signal: null }), survivors };
  }

  /** The command has exited by itself: ends what it left behind. */
  async #clear(running: RunningCommand, exit: Exit): Promise<Outcome> {
    await within(this.#clock, DRAIN, running.closed);
    const { terminateMs } = this.#order.grace;
    const survivors = await this.#endTree(running, [{ signal: 'SIGTERM', waitMs: terminateMs }]);
    return { endedBy: 'itself', ...exit, survivors };
  }

  async #endTree({ identity }: RunningCommand, steps: readonly GraceStep[]): Promise<number> {
    const mark = { name: MARK_VARIABLE, value: this.#order.mark };
    const clock = this.#clock;
    return (await endTree({ root: identity, groupIsOurs: true, mark, steps, clock })).length;
  }
}

/** Any stop.json counts; one that cannot be read was not written by us, and means a cancel. */
async function requestedStop(
  dir: string,
): Promise<{ endedBy: 'stop'; stopReason: StopRequest['reason'] } | undefined> {
  const stop = await readStop(dir);
  if (stop.state === 'absent') return undefined;
  return { endedBy: 'stop', stopReason: stop.state === 'read' ? stop.value.reason : 'cancel' };
}

/** The promise's value, or undefined after `ms`. */
async function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  try {
    return await Promise.race([promise, clock.sleep(ms, done.signal).then(() => undefined)]);
  } finally {
    done.abort();
  }
}
