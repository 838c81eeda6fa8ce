/**
 * What is to go wrong in one run, and which jobs are done meanwhile: a pure function of the seed. What the machines
 * make of it depends on their speed as well, so that a seed replays the faults, not the course of events.
 */
import { Chance } from './random.ts';

export const MACHINES = ['ada', 'bob', 'cyd'] as const;
export type Machine = (typeof MACHINES)[number];

/** How long a lease lasts here, s: the shortest that a coordinator allows, so that many lapse. */
export const LEASE_SEC = 3;

/** What a network does to the messages between one machine and the coordinator. */
export const TROUBLES = ['cut', 'lost-answers', 'delay', 'late-answers', 'reset', 'duplicates'] as const;
export type Trouble = (typeof TROUBLES)[number];

/** At which message a trap goes off, as soon as the coordinator has accepted it. */
export const MOMENTS = ['claim', 'building', 'testing', 'shipped', 'shipped', 'failed', 'renew'] as const;
export type Moment = (typeof MOMENTS)[number];

export const TRAPS = ['kill', 'power-cut', 'freeze', 'kill-coordinator', 'lose-answer'] as const;
export type Trap = (typeof TRAPS)[number];

interface At {
  /** ms from when the first job is worked at; traps of 0 are there before. */
  readonly at: number;
}

export type Fault = At &
  (
    | {
        /**
         * `kill`: SIGKILL for `aq` alone, its engines go on; `power-cut`: for everything of the machine; `freeze`: SIGSTOP
         * for everything, SIGCONT at the end.
         */
        readonly kind: 'kill' | 'power-cut' | 'freeze';
        readonly machine: Machine;
        readonly forMs: number;
      }
    | { readonly kind: Trouble; readonly machine: Machine; readonly forMs: number; readonly delayMs: number }
    | { readonly kind: 'clock'; readonly machine: Machine; readonly stepSec: number }
    | { readonly kind: 'kill-coordinator' | 'freeze-coordinator'; readonly forMs: number }
    | {
        readonly kind: 'trap';
        readonly machine: Machine;
        readonly moment: Moment;
        readonly trap: Trap;
        /** ms after the coordinator has answered; 0: the machine does not hear the answer. */
        readonly afterMs: number;
        readonly forMs: number;
      }
    /** A person gives the job to whoever comes next, whatever is being done to it. */
    | { readonly kind: 'requeue'; readonly job: string }
  );

export type FaultKind = Fault['kind'];

export const FAULT_KINDS: readonly FaultKind[] = [
  ...['kill', 'power-cut', 'freeze', 'clock', 'kill-coordinator', 'freeze-coordinator'],
  ...TROUBLES,
  ...['trap', 'requeue'],
] as FaultKind[];

export interface PlannedJob {
  readonly id: string;
  readonly ship: 'push' | 'merge';
  readonly workMs: number;
  /** Its script exits with 1 after its work. */
  readonly fails: boolean;
}

export interface Plan {
  readonly seed: number;
  readonly jobs: readonly PlannedJob[];
  /** In the order of time. */
  readonly faults: readonly Fault[];
  /** From then on (ms) nothing goes wrong any more. */
  readonly calmAt: number;
}

const LEASE_MS = LEASE_SEC * 1000;
/** Longer than a lease, ms: somebody else may have the job then. */
const OUTLASTING = LEASE_MS + 1500;

/** How many jobs there are, and how long (ms) things go wrong: a run then takes some fifteen seconds. */
const JOBS = 8;
const SPAN = 5000;

export function planOf(seed: number): Plan {
  const chance = new Chance(seed);
  const spanMs = SPAN;
  const jobs = Array.from({ length: JOBS }, (_, n): PlannedJob => {
    const ship = n % 2 === 0 ? 'push' : 'merge';
    const workMs = chance.pick([chance.between(50, 500), chance.between(500, 2500), 3500]);
    return { id: `job-${n + 1}`, ship, workMs, fails: n === 3 };
  });
  const faults: Fault[] = [];
  for (const machine of MACHINES) {
    // Some seeds are wild where others are almost calm: a fault shows best what others would hide.
    for (const at of starts(chance, spanMs, [700, 5000])) faults.push(ofMachine(chance, machine, at));
    for (const at of starts(chance, spanMs, [800, 5000])) faults.push(ofNetwork(chance, machine, at));
  }
  for (const at of starts(chance, spanMs, [1500, 6000])) {
    const kind = chance.next() < 0.7 ? 'kill-coordinator' : 'freeze-coordinator';
    faults.push({ kind, at, forMs: chance.between(100, 2500) });
  }
  // In every run somebody outsleeps its lease with work in its hands.
  const sleeper = { machine: chance.pick(MACHINES), at: 0, moment: 'building', trap: 'freeze' } as const;
  faults.push({ kind: 'trap', ...sleeper, afterMs: chance.between(0, 300), forMs: OUTLASTING });
  for (let n = chance.between(3, 7); n > 0; n -= 1) {
    const [moment, trap] = [chance.pick(MOMENTS), chance.pick(TRAPS)];
    const at = chance.between(0, spanMs * 0.7);
    const afterMs = chance.pick([0, 0, chance.between(1, 300)]);
    const forMs = trap === 'freeze' ? OUTLASTING : chance.pick([300, 300, OUTLASTING]);
    faults.push({ kind: 'trap', machine: chance.pick(MACHINES), at, moment, trap, afterMs, forMs });
  }
  for (let n = chance.between(0, 2); n > 0; n -= 1)
    faults.push({ kind: 'requeue', at: chance.between(1000, spanMs), job: chance.pick(jobs).id });
  const ordered = faults.toSorted((one, other) => one.at - other.at);
  const ends = ordered.map((each) => each.at + ('forMs' in each && each.kind !== 'trap' ? each.forMs : 0));
  return { seed, jobs, faults: ordered, calmAt: Math.max(spanMs, ...ends) };
}

/** When the faults of one kind begin: apart by something around a pause that is drawn for this run. */
function starts(chance: Chance, spanMs: number, [least, most]: readonly [number, number]): number[] {
  const pause = chance.between(least, most);
  const times: number[] = [];
  for (let at = chance.between(300, pause); at < spanMs; at += chance.between(pause / 2, pause * 2))
    times.push(Math.round(at));
  return times;
}

function ofMachine(chance: Chance, machine: Machine, at: number): Fault {
  const kind = chance.pick(['kill', 'kill', 'power-cut', 'freeze', 'clock'] as const);
  switch (kind) {
    case 'clock':
      return { kind, machine, at, stepSec: chance.pick([-3600, -20, -3, 3, 20, 3600]) };
    case 'freeze':
      return { kind, machine, at, forMs: LEASE_MS + chance.between(200, 2500) };
    default:
      return { kind, machine, at, forMs: chance.pick([100, 500, 1500, OUTLASTING]) };
  }
}

function ofNetwork(chance: Chance, machine: Machine, at: number): Fault {
  const kind = chance.pick(TROUBLES);
  return {
    kind,
    machine,
    at,
    forMs: chance.between(300, LEASE_MS + 2500),
    delayMs: chance.between(50, 2500),
  };
}

/** For the timeline, and for whoever reads a failure. */
export function inWords(fault: Fault): string {
  const forTime = 'forMs' in fault ? ` for ${(fault.forMs / 1000).toFixed(1)} s` : '';
  switch (fault.kind) {
    case 'clock':
      return `clock set ${fault.stepSec > 0 ? 'forward' : 'back'} by ${Math.abs(fault.stepSec)} s`;
    case 'trap':
      return `a trap: ${fault.trap} ${fault.afterMs} ms after the next accepted ${fault.moment}`;
    case 'requeue':
      return `a person requeues ${fault.job}`;
    case 'delay':
      return `requests delayed by ${fault.delayMs} ms${forTime}`;
    default:
      return `${fault.kind}${forTime}`;
  }
}
