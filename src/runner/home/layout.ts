/** Where everything lies in a home (runner.md, "Stages are directories"). Paths only; nothing is read or written. */
import os from 'node:os';
import path from 'node:path';
import { directoryOf, type Stage } from '../stages.ts';

export class Layout {
  readonly root: string;

  constructor(root: string) {
    this.root = path.resolve(root);
  }

  /** The directory of a stage. */
  stage(stage: Stage): string {
    return path.join(this.root, directoryOf(stage));
  }

  /** The job file of a job in a stage. */
  job(stage: Stage, id: string): string {
    return path.join(this.stage(stage), `${id}.md`);
  }

  get runs(): string {
    return path.join(this.root, 'runs');
  }

  /** All that is known of one job. Ids differ in more than case, so that this works on case-blind filesystems too. */
  run(id: string): string {
    return path.join(this.runs, id.toLowerCase());
  }

  state(id: string): string {
    return path.join(this.run(id), 'state.json');
  }

  /** The runs of one job: a directory for each, called by its number, from 1. */
  attempts(id: string): string {
    return path.join(this.run(id), 'attempts');
  }

  /** The run directory of one command (`setup`, `engine`, `verify-2`, …) of one attempt, counted from 1. */
  command(id: string, attempt: number, command: string): string {
    return path.join(this.attempts(id), String(attempt), command);
  }

  /** What is known of a result in quarantine, beside its job file: for programs, and for people without this one. */
  quarantineRecord(id: string): string {
    return path.join(this.stage('quarantine'), `${id}.json`);
  }

  quarantineText(id: string): string {
    return path.join(this.stage('quarantine'), `${id}.txt`);
  }

  /** Results in quarantine that have been settled: a mark for each. */
  get settled(): string {
    return path.join(this.stage('quarantine'), 'settled');
  }

  settledMark(id: string): string {
    return path.join(this.settled, `${id}.json`);
  }

  /** New jobs that are being made of results in quarantine: an intent for each. */
  get settling(): string {
    return path.join(this.stage('quarantine'), 'settling');
  }

  settlingIntent(id: string): string {
    return path.join(this.settling, `${id}.json`);
  }

  /** What the fleet keeps: reports that the coordinator has not accepted yet, and claims under way. */
  get outbox(): string {
    return path.join(this.root, 'outbox');
  }

  get worktrees(): string {
    return path.join(this.root, 'worktrees');
  }

  get locks(): string {
    return path.join(this.root, 'locks');
  }

  /** What engines have used, a file for each day (home/ledger.ts). */
  get spend(): string {
    return path.join(this.root, 'spend');
  }

  /** @param day `2026-11-26` */
  spendOn(day: string): string {
    return path.join(this.spend, `${day}.jsonl`);
  }

  /** Held by the kernel for the process that runs this home's jobs. */
  get runnerLock(): string {
    return path.join(this.locks, 'runner.lock');
  }

  /** Who holds runnerLock, for people; only the lock itself decides. */
  get runnerInfo(): string {
    return path.join(this.root, 'runner.json');
  }

  /** There while a person wants a runner in the editor: the small marker that activation looks at. */
  get runnerMarker(): string {
    return path.join(this.root, 'runner.on');
  }

  /** Requests to the runner, one file each, and their answers. */
  get commands(): string {
    return path.join(this.root, 'commands');
  }

  /** Every transition of every job, one JSON line each, newest last. */
  get journal(): string {
    return path.join(this.root, 'journal.jsonl');
  }

  /** Queued jobs while they are being rewritten. */
  get moving(): string {
    return path.join(this.root, 'moving');
  }

  /** Configuration that a window and `aq` share. */
  get config(): string {
    return path.join(this.root, 'config.json');
  }

  get bin(): string {
    return path.join(this.root, 'bin');
  }

  get cache(): string {
    return path.join(this.root, 'cache');
  }
}

/** The home when nothing says otherwise. */
export function defaultHome(): string {
  return path.join(os.homedir(), '.agent-queue');
}
