/**
 * What a seed is: a fleet, its jobs, and what will go wrong, all drawn before the run begins. Each part has a name by
 * which it can be left out, so that a run that fails can be made shorter and still be the same run (shrink.ts).
 */
import { HOUR, MINUTE, SECOND } from '../../src/platform/clock.ts';
import { Chance } from '../world/chance.ts';

/** Probabilities that hold all the time while there is trouble; each a name to leave out. */
export interface Rates {
  readonly loss: number;
  readonly answerLoss: number;
  readonly double: number;
  readonly late: number;
  /** Of each effect of a process: that it is killed there. */
  readonly crash: number;
  readonly coordinatorCrash: number;
  readonly slowDisk: number;
  /** Of each run of an engine or of `verify`. */
  readonly engineFails: number;
  readonly verifyFails: number;
  readonly changesNothing: number;
  /** Of each call of git over the network, and of each answer. */
  readonly gitLoss: number;
  /** Of each job that comes into testing: that the operator cancels or requeues it just then. */
  readonly badMoment: number;
}

export interface JobPlan {
  readonly name: string;
  readonly at: number;
  readonly ship: 'merge' | 'push' | 'none';
  readonly review: 'skip' | 'person';
  readonly verify: boolean;
  readonly retries: number;
  readonly lock: string | undefined;
  readonly needs: string | undefined;
  /** A job of that laptop's own, dropped into its inbox; undefined: the coordinator's. */
  readonly on: string | undefined;
}

export type Trouble = { readonly name: string; readonly at: number } & (
  | { readonly do: 'sleep'; readonly machine: string; readonly ms: number; readonly clockStops: boolean }
  | {
      readonly do: 'freeze' | 'powerCut' | 'diskFull' | 'secondRunner';
      readonly machine: string;
      readonly ms: number;
    }
  | { readonly do: 'kill' | 'restart' | 'mainMoves' | 'aq'; readonly machine: string }
  | { readonly do: 'setClock'; readonly machine: string; readonly ms: number }
  | {
      readonly do: 'cut';
      readonly machine: string | undefined;
      readonly ms: number;
      readonly direction: 'in' | 'out' | 'both';
      readonly isLoud: boolean;
    }
  | { readonly do: 'coordinatorDown' | 'coordinatorFreeze'; readonly ms: number }
  | { readonly do: 'cancel' | 'requeue'; readonly job: string }
  | {
      readonly do: 'drain' | 'leaveFleet' | 'releaseLease' | 'claimNow';
      readonly machine: string;
      readonly ms: number;
    }
);

export interface MachinePlan {
  readonly name: string;
  /** How far its wall clock is ahead, ms. */
  readonly ahead: number;
  readonly maxParallel: number;
  readonly pushCheckpoints: boolean;
  /** What it offers, as its owner has set it; undefined: what is found. */
  readonly capabilities: string | undefined;
  /** When its lid is closed, whatever runs. */
  readonly closed: readonly { readonly at: number; readonly ms: number; readonly clockStops: boolean }[];
}

export interface Plan {
  readonly seed: number;
  readonly machines: readonly MachinePlan[];
  readonly jobs: readonly JobPlan[];
  readonly troubles: readonly Trouble[];
  readonly rates: Rates;
  /** Until when there is trouble, ms. */
  readonly troubleMs: number;
  readonly leaseMs: number;
  readonly renewSec: number;
  readonly pace: boolean;
  readonly longPolls: boolean;
  readonly engineMs: readonly [number, number];
  /** How often a person looks after a laptop, ms. */
  readonly tendsEvery: number;
}

const DAY = 24 * HOUR;

/** @param left names of what is left out */
export function planOf(seed: number, left: ReadonlySet<string> = new Set()): Plan {
  const chance = new Chance(seed, 'plan');
  // Half of them: some hours of machines that are always on. The others: a day of laptops that are mostly closed.
  const isDay = chance.happens(0.5);
  const troubleMs = isDay ? DAY : chance.magnitude(10 * MINUTE, 6 * HOUR);
  const machines = Array.from({ length: chance.pick([1, 2, 2, 3, 3, 5]) }, (_, n) =>
    machineOf(chance, n + 1, isDay ? lids(chance) : []),
  );
  const jobs = Array.from({ length: chance.between(1, 6) }, (_, n) =>
    jobOf(chance, n + 1, machines, troubleMs),
  );
  const rates = ratesOf(chance);
  const count = chance.pick([0, 1, 2, 4, 8, 16]);
  const troubles = Array.from({ length: count }, (_, n) =>
    troubleOf(chance, n + 1, machines, jobs, troubleMs),
  );
  const plan: Plan = {
    seed,
    machines,
    jobs,
    troubles,
    rates,
    troubleMs,
    leaseMs: chance.pick([60 * SECOND, 300 * SECOND, 900 * SECOND]),
    renewSec: chance.pick([300, 300, 30, 3600]),
    pace: chance.happens(0.7),
    longPolls: chance.happens(0.7),
    engineMs: [20 * SECOND, chance.magnitude(1 * MINUTE, 40 * MINUTE)],
    tendsEvery: chance.magnitude(1 * MINUTE, 30 * MINUTE),
  };
  return without(plan, left);
}

/** Opened now and then in the course of a day, for a few minutes or some more. */
function lids(chance: Chance): MachinePlan['closed'] {
  const clockStops = chance.happens(0.6);
  const closed: { at: number; ms: number; clockStops: boolean }[] = [];
  let at = chance.happens(0.5) ? 0 : chance.magnitude(MINUTE, 30 * MINUTE);
  while (at < DAY) {
    const ms = chance.magnitude(MINUTE, 8 * HOUR);
    closed.push({ at, ms, clockStops });
    at += ms + chance.magnitude(MINUTE, 30 * MINUTE);
  }
  return closed;
}

function machineOf(chance: Chance, n: number, closed: MachinePlan['closed']): MachinePlan {
  return {
    name: `laptop-${n}`,
    ahead: chance.happens(0.3) ? chance.between(-2 * HOUR, 2 * HOUR) : chance.between(-2000, 2000),
    maxParallel: chance.between(1, 3),
    pushCheckpoints: chance.happens(0.7),
    capabilities: chance.happens(0.9) ? 'os:linux,engine:claude' : undefined,
    closed,
  };
}

function jobOf(chance: Chance, n: number, machines: readonly MachinePlan[], troubleMs: number): JobPlan {
  const isOwn = chance.happens(0.15);
  return {
    name: `job-${n}`,
    at: chance.between(0, troubleMs / 2),
    ship: chance.pick(['merge', 'push', 'push', 'none']),
    review: chance.happens(0.6) ? 'skip' : 'person',
    verify: chance.happens(0.4),
    retries: chance.pick([0, 0, 0, 2]),
    lock: chance.happens(0.15) ? 'db' : undefined,
    needs: n > 1 && chance.happens(0.1) ? `job-${chance.between(1, n - 1)}` : undefined,
    on: isOwn ? chance.pick(machines).name : undefined,
  };
}

function ratesOf(chance: Chance): Rates {
  // Most runs know only some kinds of trouble: what one kind hides another may show.
  const rate = (part: number, most: number) => (chance.happens(part) ? most * chance.next() ** 2 : 0);
  return {
    loss: rate(0.4, 0.4),
    answerLoss: rate(0.5, 0.4),
    double: rate(0.3, 0.3),
    late: rate(0.3, 0.2),
    crash: rate(0.5, 0.01),
    coordinatorCrash: rate(0.3, 0.01),
    slowDisk: rate(0.5, 0.5),
    engineFails: rate(0.4, 0.4),
    verifyFails: rate(0.3, 0.4),
    changesNothing: rate(0.3, 0.5),
    gitLoss: rate(0.3, 0.4),
    badMoment: rate(0.3, 0.8),
  };
}

const KINDS = [
  ...['sleep', 'sleep', 'sleep', 'freeze', 'freeze', 'kill', 'kill', 'restart', 'powerCut', 'powerCut'],
  ...['diskFull', 'setClock', 'cut', 'cut', 'coordinatorDown', 'coordinatorFreeze', 'cancel', 'requeue'],
  ...['drain', 'leaveFleet', 'releaseLease', 'claimNow', 'secondRunner', 'mainMoves', 'aq', 'aq'],
] as readonly Trouble['do'][];

function troubleOf(
  chance: Chance,
  n: number,
  machines: readonly MachinePlan[],
  jobs: readonly JobPlan[],
  troubleMs: number,
): Trouble {
  const base = { name: `trouble-${n}`, at: chance.between(0, troubleMs) };
  const machine = chance.pick(machines).name;
  const kind = chance.pick(KINDS);
  switch (kind) {
    case 'sleep':
      return {
        ...base,
        do: kind,
        machine,
        ms: chance.magnitude(SECOND, 3 * DAY),
        clockStops: chance.happens(0.6),
      };
    case 'setClock':
      return {
        ...base,
        do: kind,
        machine: chance.happens(0.2) ? 'coordinator' : machine,
        ms: chance.pick([-1, 1]) * chance.magnitude(SECOND, 6 * HOUR),
      };
    case 'cut':
      return {
        ...base,
        do: kind,
        machine: chance.happens(0.3) ? undefined : machine,
        ms: chance.magnitude(SECOND, 2 * HOUR),
        direction: chance.pick(['in', 'out', 'both']),
        isLoud: chance.happens(0.3),
      };
    case 'coordinatorDown':
    case 'coordinatorFreeze':
      return { ...base, do: kind, ms: chance.magnitude(SECOND, HOUR) };
    case 'cancel':
    case 'requeue':
      return { ...base, do: kind, job: chance.pick(jobs).name };
    case 'kill':
    case 'restart':
    case 'mainMoves':
    case 'aq':
      return { ...base, do: kind, machine };
    default:
      return { ...base, do: kind, machine, ms: chance.magnitude(SECOND, HOUR) };
  }
}

function without(plan: Plan, left: ReadonlySet<string>): Plan {
  if (left.size === 0) return plan;
  const machines = plan.machines.filter(({ name }) => !left.has(name));
  const isThere = (name: string | undefined) =>
    name === undefined || name === 'coordinator' || machines.some((each) => each.name === name);
  const jobs = plan.jobs.filter(({ name, on }) => !left.has(name) && isThere(on));
  const rates = Object.fromEntries(
    Object.entries(plan.rates).map(([name, value]) => [name, left.has(name) ? 0 : value]),
  ) as unknown as Rates;
  return {
    ...plan,
    machines,
    jobs: jobs.map((job) =>
      job.needs !== undefined && !jobs.some(({ name }) => name === job.needs)
        ? { ...job, needs: undefined }
        : job,
    ),
    rates,
    troubles: plan.troubles.filter(
      (each) =>
        !left.has(each.name) &&
        (!('machine' in each) || isThere(each.machine)) &&
        (!('job' in each) || jobs.some(({ name }) => name === each.job)),
    ),
  };
}

/** Everything of a plan that could be left out. */
export function partsOf({ machines, jobs, troubles, rates }: Plan): string[] {
  return [
    ...troubles.map(({ name }) => name),
    ...jobs.slice(1).map(({ name }) => name),
    ...machines.slice(1).map(({ name }) => name),
    ...Object.entries(rates).flatMap(([name, value]) => (value === 0 ? [] : [name])),
  ];
}

/** What stands in a job's file, with a word in its prompt that must not turn up anywhere else. */
export function fileOf({ name, ship, review, verify, retries, lock, needs, on }: JobPlan): string {
  return [
    '---',
    'engine: claude',
    'cwd: /work/app',
    `ship: ${ship}`,
    `review: ${review}`,
    ...(verify ? ['verify: [npm test]'] : []),
    ...(retries > 0 ? [`retries: ${retries}`] : []),
    ...(lock === undefined ? [] : [`lock: ${lock}`]),
    ...(needs === undefined || on !== undefined ? [] : [`needs: [${needs}]`]),
    '---',
    `# ${name}`,
    '',
    `${PROMPT}: do it.`,
    '',
  ].join('\n');
}

/** Stands in every prompt, and in nothing else. */
export const PROMPT = 'xyzzy-prompt';
export const TOKEN = 'aq_factory_secret_of_';
