/** One run: a plan carried out, the rules held against it, and, once the trouble is over, the promise that all comes to its end. */

import type { JobRecord } from '../../src/coordinator/records.ts';
import { DEFAULT_SETTINGS } from '../../src/coordinator/settings.ts';
import { HOUR, MINUTE, SECOND } from '../../src/platform/clock.ts';
import { Directory, File } from '../world/disk.ts';
import { Machine } from '../world/machine.ts';
import type { Temper } from '../world/process.ts';
import { MAIN, Repository } from '../world/repository.ts';
import { type Violation, World } from '../world/world.ts';
import { Coordinator, PRODUCT } from './coordinator.ts';
import { HOME, Laptop } from './factory.ts';
import { Ledger } from './ledger.ts';
import { addLocalJob, moveMain, operate, tend } from './people.ts';
import { fileOf, type Plan, TOKEN, type Trouble } from './plan.ts';

/** Within so long (ms) after the trouble is over every job is to have ended. */
const PATIENCE = 12 * HOUR;
const ADMIN = 'aq_admin_of_the_simulation';
/** Stages in which the coordinator has nothing more to do with a job. */
const ENDS = new Set(['shipped', 'blocked', 'failed', 'dead_letter']);

export interface Outcome {
  readonly plan: Plan;
  readonly violation: Violation | undefined;
  readonly world: World;
  /** ms of virtual time. */
  readonly took: number;
  readonly steps: number;
  readonly tally: { readonly claims: number; readonly reports: number; readonly landings: number };
}

export function run(plan: Plan, traced = false): Outcome {
  // Nobody reads where an error came from, and it costs a third of the time to find out.
  Error.stackTraceLimit = traced ? 10 : 0;
  const simulation = new Simulation(plan, traced);
  simulation.run();
  const { world, ledger } = simulation;
  return {
    plan,
    violation: world.violation,
    world,
    took: world.now,
    steps: world.steps,
    tally: { claims: ledger.claims, reports: ledger.reports, landings: ledger.landings.size },
  };
}

class Simulation {
  readonly plan: Plan;
  readonly world: World;
  readonly ledger: Ledger;
  readonly #coordinator: Coordinator;
  readonly #laptops = new Map<string, Laptop>();
  readonly #machines = new Map<string, Machine>();
  /** Jobs that have been given to somebody, the coordinator or an inbox. */
  readonly #sent: string[] = [];
  #isTroubled = true;
  #n = 0;

  constructor(plan: Plan, traced: boolean) {
    this.plan = plan;
    this.world = new World(plan.seed, traced);
    const { world } = this;
    this.ledger = new Ledger(world, this.#machines);
    this.ledger.leaseMs = plan.leaseMs;
    const remote = new Repository(world, 'remote', undefined);
    const settings = { ...DEFAULT_SETTINGS, leaseMs: plan.leaseMs };
    const { pace, longPolls } = plan;
    this.#coordinator = new Coordinator(
      new Machine(world, 'coordinator', remote, 0),
      settings,
      { pace, longPolls },
      this.ledger,
    );
    this.ledger.coordinator = this.#coordinator;
    world.service = this.#coordinator;
    this.#coordinator.admitAdmin(ADMIN);
    for (const { name, ahead, maxParallel, pushCheckpoints, capabilities } of plan.machines) {
      const machine = new Machine(world, name, remote, ahead);
      const setup = {
        token: TOKEN + name,
        renewSec: plan.renewSec,
        maxParallel,
        pushCheckpoints,
        capabilities,
      };
      this.#machines.set(name, machine);
      this.#laptops.set(
        name,
        new Laptop(machine, setup, (text, where) => this.ledger.mustBeClean(text, where)),
      );
      this.#coordinator.admit(name, setup.token);
      machine.repository.onBranch = (ref, commit) => {
        // Its other branches are nobody's but the jobs' own.
        if (ref === MAIN) this.ledger.branchMoved(machine, ref, commit);
      };
    }
    world.onCommand = (seen) => this.ledger.mustBeClean(seen, 'arguments and environment of a command');
    world.onPush = (from, ref) => this.ledger.pushes(from, ref);
    this.ledger.onReport = (jobId, stage) => this.#badMoment(jobId, stage);
    remote.onBranch = (ref, commit) => this.#pushed(ref, commit);
  }

  run(): void {
    const { world, plan } = this;
    this.#trouble();
    this.#coordinator.start();
    for (const laptop of this.#laptops.values()) laptop.startRunner();
    this.#everySoOften();
    for (const job of plan.jobs) world.later(job.at, () => this.#enqueue(job));
    for (const { name, closed } of plan.machines)
      for (const { at, ms, clockStops } of closed)
        world.later(at, () => this.#machines.get(name)?.sleep(ms, clockStops));
    for (const trouble of plan.troubles) world.later(trouble.at, () => this.#cause(trouble));
    const look = () => undefined;
    world.run(plan.troubleMs, look);
    if (world.violation !== undefined) return;
    this.#calm();
    const until = world.now + PATIENCE;
    let left: string[] = [];
    while (world.violation === undefined && world.now < until) {
      world.run(world.now + MINUTE, look);
      left = this.#unfinished();
      if (left.length === 0) break;
    }
    if (world.violation === undefined && left.length > 0)
      world.broken('every job comes to its end', left.slice(0, 5).join('; '));
    for (const row of this.#rows()) if (world.violation === undefined) this.ledger.shippedHasLanded(row);
    for (const machine of this.#machines.values()) {
      if (world.violation === undefined) this.ledger.nothingIsLost(machine);
      if (world.violation === undefined) this.ledger.nothingIsTakenFromItsHolder(machine);
    }
  }

  #trouble(): void {
    const { world, plan } = this;
    const { rates } = plan;
    const temper: Temper = { slow: rates.slowDisk, slowMs: 2000, crash: rates.crash };
    world.network.weather = {
      latencyMs: [1, 80],
      loss: rates.loss,
      answerLoss: rates.answerLoss,
      double: rates.double,
      late: rates.late,
      lateMs: 20_000,
    };
    world.gitTrip = (machine) => ({
      ms: world.chance.between(20, 2000),
      isLost: world.network.meets(machine, 'out') !== undefined || world.chance.happens(rates.gitLoss),
      isAnswerLost: world.network.meets(machine, 'in') !== undefined || world.chance.happens(rates.gitLoss),
    });
    for (const laptop of this.#laptops.values()) {
      laptop.temper = temper;
      laptop.machine.commands.manners = {
        engineMs: plan.engineMs,
        verifyMs: [SECOND, MINUTE],
        fails: rates.engineFails,
        changesNothing: rates.changesNothing,
        verifyFails: rates.verifyFails,
      };
    }
    this.#coordinator.temper = { slow: 0.1, slowMs: 50, crash: rates.coordinatorCrash };
  }

  /** From here on nothing goes wrong any more, and people see to what waits for them. */
  #calm(): void {
    const { world } = this;
    world.trace.add(undefined, 'the trouble is over');
    this.#isTroubled = false;
    world.network.weather = { latencyMs: [1, 80], loss: 0, answerLoss: 0, double: 0, late: 0, lateMs: 1 };
    world.network.cuts = [];
    world.gitTrip = undefined;
    const calm: Temper = { slow: 0, slowMs: 0, crash: 0 };
    this.#coordinator.temper = calm;
    for (const machine of [...this.#machines.values(), this.#coordinator.machine]) {
      machine.disk.isFull = false;
      machine.wake();
      if (!machine.isOn) machine.powerOn();
      for (const process of machine.processes) process.temper = calm;
    }
    this.#coordinator.start();
    for (const laptop of this.#laptops.values()) {
      laptop.temper = calm;
      const { manners } = laptop.machine.commands;
      laptop.machine.commands.manners = { ...manners, fails: 0, verifyFails: 0 };
      if (!laptop.isInFleet) {
        laptop.isInFleet = true;
        laptop.stopRunner();
      }
      laptop.startRunner();
      laptop.inRunner(async ({ fleet }) => fleet?.operator.drain(false));
    }
  }

  /** Whatever has ended is started again, and people look in. */
  #everySoOften(): void {
    const { world, plan } = this;
    const look = () => {
      world.later(30 * SECOND, look);
      if (
        this.#coordinator.process === undefined &&
        this.#coordinator.machine.processes.size === 0 &&
        (!this.#isTroubled || world.chance.happens(0.5))
      )
        this.#coordinator.start();
      for (const laptop of this.#laptops.values()) {
        this.ledger.nothingIsTakenFromItsHolder(laptop.machine);
        if (laptop.runner !== undefined || !laptop.machine.isAwake) continue;
        this.ledger.nothingIsLost(laptop.machine);
        if (!this.#isTroubled || world.chance.happens(0.5)) laptop.startRunner();
        if (!this.#isTroubled) laptop.inRunner(async ({ fleet }) => fleet?.operator.drain(false));
      }
    };
    world.later(30 * SECOND, look);
    for (const laptop of this.#laptops.values()) {
      const visit = () => {
        tend(laptop, !this.#isTroubled);
        if (!this.#isTroubled)
          laptop.inRunner(async ({ fleet }) =>
            fleet?.facts().draining === true ? fleet.operator.drain(false) : undefined,
          );
        world.later(this.#isTroubled ? plan.tendsEvery : 10 * MINUTE, visit);
      };
      world.later(plan.tendsEvery, visit);
    }
  }

  #enqueue(job: Plan['jobs'][number]): void {
    this.#sent.push(job.name);
    if (job.on === undefined) {
      const body = { id: job.name, bodyMd: fileOf(job) };
      operate(this.#coordinator.machine, ADMIN, { method: 'POST', path: '/fleet/jobs', body });
      return;
    }
    addLocalJob(this.#laptops.get(job.on) as Laptop, job);
  }

  #cause(trouble: Trouble): void {
    const { world } = this;
    const { ms } = { ms: 0, ...trouble };
    const machine =
      'machine' in trouble && trouble.machine !== undefined ? this.#machines.get(trouble.machine) : undefined;
    const laptop =
      'machine' in trouble && trouble.machine !== undefined ? this.#laptops.get(trouble.machine) : undefined;
    this.#n += 1;
    if (trouble.do === 'setClock') (machine ?? this.#coordinator.machine).setClock(ms);
    world.trace.add(machine?.name, `trouble: ${JSON.stringify(trouble)}`);
    switch (trouble.do) {
      case 'setClock':
        return;
      case 'sleep':
        return machine?.sleep(ms, trouble.clockStops);
      case 'freeze':
        return laptop?.runner?.freeze(ms);
      case 'kill':
        return laptop?.runner?.end('is killed');
      case 'restart':
        return laptop?.stopRunner();
      case 'powerCut':
        machine?.powerCut();
        world.later(ms, () => machine?.isOn === false && machine.powerOn());
        return;
      case 'diskFull':
        if (machine === undefined) return;
        machine.disk.isFull = true;
        world.later(ms, () => {
          machine.disk.isFull = false;
        });
        return;
      case 'secondRunner':
        laptop?.aq(async ({ factory }) => {
          await factory.startRunner();
          await new Promise<void>((resolve) => void setTimeout(resolve, ms));
          await factory.stopRunner();
        }, 'second');
        return;
      case 'mainMoves':
        return laptop === undefined ? undefined : moveMain(laptop, this.ledger, this.#n);
      case 'aq':
        return laptop === undefined ? undefined : tend(laptop, false);
      case 'cut':
        return world.network.cut({
          machine,
          direction: trouble.direction,
          isLoud: trouble.isLoud,
          until: world.now + ms,
        });
      case 'coordinatorDown':
        this.#coordinator.process?.end('is killed');
        return;
      case 'coordinatorFreeze':
        return this.#coordinator.process?.freeze(ms);
      case 'cancel':
      case 'requeue':
        return operate(this.#coordinator.machine, ADMIN, {
          method: 'POST',
          path: `/fleet/jobs/${trouble.job}/${trouble.do}`,
        });
      case 'drain':
        laptop?.inRunner(async ({ fleet }) => fleet?.operator.drain(true));
        world.later(ms, () => laptop?.inRunner(async ({ fleet }) => fleet?.operator.drain(false)));
        return;
      case 'leaveFleet':
        if (laptop === undefined) return;
        laptop.isInFleet = false;
        laptop.stopRunner();
        world.later(ms, () => {
          laptop.isInFleet = true;
          laptop.stopRunner();
        });
        return;
      case 'releaseLease':
        laptop?.inRunner(async ({ fleet }) => {
          const [lease] = fleet?.facts().leases ?? [];
          if (lease !== undefined) await fleet?.operator.release(lease.id);
        });
        return;
      case 'claimNow':
        laptop?.inRunner(async ({ fleet }) => fleet?.operator.claimNow());
        return;
    }
  }

  /** An operator who changes their mind while a job is on its way out. */
  #badMoment(jobId: string, stage: string): void {
    const { world, plan } = this;
    if (!this.#isTroubled || stage !== 'testing' || !world.chance.happens(plan.rates.badMoment)) return;
    const path = `/fleet/jobs/${jobId}/${world.chance.pick(['cancel', 'requeue'])}`;
    world.later(world.chance.magnitude(1, 10 * SECOND), () =>
      operate(this.#coordinator.machine, ADMIN, { method: 'POST', path }),
    );
  }

  /** A branch on the remote has moved: by whichever machine has an intent for that commit. */
  #pushed(ref: string, commit: string): void {
    for (const machine of this.#machines.values()) {
      if (this.ledger.landingOn(machine, ref, commit) !== undefined)
        return this.ledger.branchMoved(machine, ref, commit);
    }
    this.world.broken(
      'nothing lands without an intent on disk',
      `the remote's ${ref} came to ${commit.slice(0, 8)}`,
    );
  }

  #rows(): readonly JobRecord[] {
    const [list] = this.#coordinator.look({ do: 'jobs', productId: PRODUCT, limit: 100 });
    return (list as { jobs: readonly JobRecord[] }).jobs;
  }

  /** In words: what has not come to its end. */
  #unfinished(): string[] {
    const left: string[] = [];
    for (const job of this.#rows()) {
      // What it needs has not shipped and will not: a person would have to requeue that.
      if (job.stage === 'queued' && job.waitsFor.length > 0) continue;
      if (!ENDS.has(job.stage))
        left.push(
          `${job.id} is ${job.stage}, epoch ${job.epoch}, ${job.held ? `${job.factoryId}'s` : 'nobody’s'}`,
        );
      else if (job.held) left.push(`${job.id} has ended and is held`);
    }
    for (const laptop of this.#laptops.values()) left.push(...this.#unfinishedOn(laptop));
    return left;
  }

  #unfinishedOn({ machine, runner }: Laptop): string[] {
    const left: string[] = [];
    if (runner === undefined || !machine.isAwake) left.push(`${machine.name} has no runner`);
    for (const process of machine.processes)
      if (process.name.startsWith('aq-') && this.world.now - process.startedAt > 5 * MINUTE)
        left.push(`${process.title} has no answer`);
    for (const stage of ['inbox', 'assigned', 'building', 'review', 'testing'])
      for (const name of names(machine, stage)) left.push(`${machine.name}: ${name} is in ${stage}`);
    for (const name of names(machine, 'outbox')) {
      const file = machine.disk.find(`${HOME}/outbox/${name}`);
      if (name.endsWith('.reports.json') && file instanceof File)
        left.push(`${machine.name}: ${String(file.content).slice(0, 200)}`);
    }
    for (const file of machine.locks.keys())
      if (!file.includes('runner.lock')) left.push(`${machine.name} holds ${file}`);
    return left;
  }
}

function names(machine: Machine, folder: string): string[] {
  const found = machine.disk.find(`${HOME}/${folder}`);
  return found instanceof Directory ? [...found.entries.keys()].filter((name) => !name.startsWith('.')) : [];
}
