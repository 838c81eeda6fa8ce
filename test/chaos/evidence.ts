/** What can be seen from outside when all is over: the repositories, the coordinator's record, the homes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { directoryOf, STAGES } from '../../src/runner/stages.ts';
import type { CoordinatorPart } from './cast.ts';
import { CLONE, FINISHED, type Ground, QUEUE } from './ground.ts';
import type { Message } from './message.ts';
import { MACHINES, type Machine, type PlannedJob } from './plan.ts';

export interface JobEvent {
  readonly n: number;
  readonly kind: string;
  readonly leaseEpoch: number;
  readonly factoryId: string | null;
  readonly from: string | null;
  readonly to: string | null;
}

/** A job as the coordinator has it. */
export interface RecordedJob {
  readonly id: string;
  readonly stage: string;
  readonly leaseEpoch: number;
  readonly holder: string | null;
  readonly events: readonly JobEvent[];
  readonly runs: readonly {
    readonly leaseEpoch: number;
    readonly factoryId: string;
    readonly end: string | null;
  }[];
}

/** One change of a branch that others see. */
export interface Landing {
  readonly job: string;
  readonly epoch: number;
  /** Whose repository: `origin`, or a machine's clone. */
  readonly where: string;
  readonly commit: string;
}

/** A claimed job in a home. */
export interface LocalJob {
  readonly id: string;
  readonly job: string;
  readonly epoch: number;
  readonly stage: string;
  /** Why it is there, where that is said. */
  readonly reason: string | undefined;
  /** Whether its file is in the commit of its own ref, or in one that landed. */
  readonly isKept: boolean;
}

export interface Home {
  readonly machine: Machine;
  readonly jobs: readonly LocalJob[];
  /** Files of reports that have not been told. */
  readonly outbox: readonly string[];
  /** Local ids of jobs whose script has come to its end. */
  readonly finished: readonly string[];
}

/** A lock file of git's: whoever left it keeps everybody else out. */
export interface Lock {
  readonly machine: Machine;
  /** Within the repository. */
  readonly file: string;
}

export interface Evidence {
  readonly planned: readonly PlannedJob[];
  readonly record: readonly RecordedJob[];
  readonly landings: readonly Landing[];
  readonly homes: readonly Home[];
  readonly messages: Readonly<Record<Machine, readonly Message[]>>;
  /** Where a token was seen. */
  readonly leaks: readonly string[];
  readonly locks: readonly Lock[];
  /** Whose power was cut at any time. */
  readonly powerCuts: readonly Machine[];
  /** Processes that are left. */
  readonly processes: readonly string[];
  /** What else went wrong, as it was seen: a process that did not end. */
  readonly remarks: readonly string[];
}

export async function recordOf(coordinator: CoordinatorPart): Promise<RecordedJob[]> {
  const { jobs } = (await coordinator.call('GET', '/fleet/jobs?limit=500')).body as { jobs: RecordedJob[] };
  return Promise.all(
    jobs.map(async (job) => {
      const get = async (what: string) =>
        (await coordinator.call('GET', `/fleet/jobs/${job.id}/${what}`)).body as Record<string, unknown>;
      const [{ events }, { runs }] = await Promise.all([get('events?limit=500'), get('runs')]);
      return { ...job, events: events as JobEvent[], runs: runs as RecordedJob['runs'] };
    }),
  );
}

/** Local ids say which job and epoch they are of. */
export function claimOf(id: string): { readonly job: string; readonly epoch: number } | undefined {
  const [, job, epoch] = /^(job-\d+)-e(\d+)/.exec(id) ?? [];
  return job === undefined ? undefined : { job, epoch: Number(epoch) };
}

export function landingsIn(ground: Ground): Landing[] {
  const branches = ground
    .git('-C', ground.origin, 'for-each-ref', '--format=%(refname)', 'refs/heads')
    .split('\n');
  return [
    ...branches.flatMap((ref) => pushedTo(ground, ref)),
    ...MACHINES.flatMap((machine) => mergedAt(ground, machine)),
  ];
}

/** A branch of its own for each claim: whatever commit it has had is one landing. */
function pushedTo({ origin }: Ground, ref: string): Landing[] {
  const claim = claimOf(ref.replace('refs/heads/agent-queue/', ''));
  const commits = new Set(historyOf(origin, ref).map(({ after }) => after));
  return claim === undefined ? [] : [...commits].map((commit) => ({ ...claim, where: 'origin', commit }));
}

/** Each step of main takes in one job, which its commit names. What lies below it came with its base: others landed that. */
function mergedAt(ground: Ground, machine: Machine): Landing[] {
  const clone = ground.of(machine, CLONE);
  return historyOf(path.join(clone, '.git'), 'refs/heads/main').flatMap(({ before, after }) => {
    if (/^0+$/.test(before)) return [];
    const [, job] =
      /^(?:Merge \S+: )?Do (job-\d+)$/.exec(ground.git('-C', clone, 'log', '-1', '--format=%s', after)) ?? [];
    if (job === undefined) throw new Error(`main of ${machine} went to ${after}, which is of no job`);
    const said = ground.git('-C', clone, 'show', `${after}:${job}.txt`);
    const claim = claimOf(said.replace('work of ', ''));
    if (claim?.job !== job)
      throw new Error(`main of ${machine} went to ${after}, in which ${job} says “${said}”`);
    return [{ ...claim, where: machine, commit: after }];
  });
}

/** All that a ref has been: nothing that happened to it is hidden by what happened later. */
function historyOf(repository: string, ref: string): { readonly before: string; readonly after: string }[] {
  const log = path.join(repository, 'logs', ref);
  if (!existsSync(log)) return [];
  const lines = readFileSync(log, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [before = '', after = ''] = line.split(' ');
    return { before, after };
  });
}

export function homeOf(ground: Ground, machine: Machine, landings: readonly Landing[]): Home {
  const queue = ground.of(machine, QUEUE);
  const jobs = STAGES.flatMap((stage) =>
    namesIn(path.join(queue, directoryOf(stage))).flatMap((name): LocalJob[] => {
      const id = /^(job-.*)\.md$/.exec(name)?.[1];
      const claim = id === undefined ? undefined : claimOf(id);
      if (id === undefined || claim === undefined) return [];
      const hasLanded = landings.some(({ job, epoch }) => job === claim.job && epoch === claim.epoch);
      const isKept = hasLanded || hasWork(ground, machine, id, claim.job);
      return [{ id, ...claim, stage: directoryOf(stage), reason: reasonOf(queue, id), isKept }];
    }),
  );
  const finished = path.join(ground.of(machine), FINISHED);
  return {
    machine,
    jobs,
    outbox: namesIn(path.join(queue, 'outbox')).filter((name) => name.endsWith('.reports.json')),
    finished: existsSync(finished) ? [...new Set(readFileSync(finished, 'utf8').trim().split('\n'))] : [],
  };
}

function hasWork(ground: Ground, machine: Machine, id: string, job: string): boolean {
  try {
    const ref = `refs/agent-queue/${id}/wip`;
    return ground.git('-C', ground.of(machine, CLONE), 'show', `${ref}:${job}.txt`) === `work of ${id}`;
  } catch {
    return false;
  }
}

function reasonOf(queue: string, id: string): string | undefined {
  try {
    const state = JSON.parse(readFileSync(path.join(queue, 'runs', id, 'state.json'), 'utf8')) as {
      reason?: { code: string };
    };
    return state.reason?.code;
  } catch {
    return undefined;
  }
}

export function locksIn(ground: Ground): Lock[] {
  return MACHINES.flatMap((machine) => {
    const folder = ground.of(machine, CLONE, '.git');
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    // Our own lie in a folder of their own: there the kernel has the lock, and the file stays.
    const own = path.join(folder, 'agent-queue');
    return entries
      .filter(({ name, parentPath }) => name.endsWith('.lock') && parentPath !== own)
      .map(({ name, parentPath }) => ({
        machine,
        file: `/${path.relative(folder, path.join(parentPath, name))}`,
      }));
  });
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
