/** One run: the cast comes on, everything of the plan goes wrong, all becomes calm, and the judge looks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { enrol, enrolmentTokenFor } from '../../src/fleet/enrol.ts';
import { CoordinatorPart, MachinePart } from './cast.ts';
import { type Evidence, homeOf, landingsIn, locksIn, recordOf } from './evidence.ts';
import { canFakeClocks } from './faketime.ts';
import { FaultyNetwork } from './faulty-network.ts';
import { bodyOf, Ground, QUEUE } from './ground.ts';
import { isOfPowerCut, judge } from './judge.ts';
import { givenBy, inWords as inWordsOf, type Message, momentOf } from './message.ts';
import { type Fault, type FaultKind, inWords, MACHINES, type Machine, type Plan, type Trap } from './plan.ts';
import { processesIn } from './processes.ts';
import { SecretWatch } from './secrets.ts';
import { stuckJob, stuckProcesses } from './stuck.ts';
import { Timeline } from './timeline.ts';

/** How soon (ms) all must have come to its end when nothing goes wrong any more. */
const BOUND = 75_000;
/** From then on (ms) things go wrong also where nobody has begun to work. */
const BEGUN = 10_000;
/** How soon (ms) after the last process was ended none of its children is left. */
const CLEAR = 8_000;
/** Where a job has not come to its end. */
const OPEN: readonly string[] = ['inbox', 'assigned', 'building', 'review', 'testing'];

export interface Played {
  readonly findings: readonly string[];
  readonly timeline: Timeline;
  /** How often each kind of fault was done to somebody. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly messages: number;
  readonly stages: Readonly<Record<string, number>>;
  readonly quarantined: number;
  /** Jobs that another factory took because a lease had lapsed. */
  readonly takenOver: number;
  /** Locks of a git that a power cut has ended, in the person's part of a repository. */
  readonly locksLeft: readonly string[];
  /** From calm to the end of every job, and as a whole, s. */
  readonly settledSec: number;
  readonly seconds: number;
}

type SetTrap = Extract<Fault, { kind: 'trap' }>;

/**
 * @param cli the bundle that all run
 * @param boundMs how soon all must have come to its end when nothing goes wrong any more
 * @throws Error when the run itself could not be made; nothing of it is left then either, nor after SIGINT and SIGTERM
 */
export async function play(plan: Plan, cli: string, boundMs = BOUND): Promise<Played> {
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const onSignal = (signal: NodeJS.Signals) => reject(new Error(`The run was ended by ${signal}.`));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  // Only now: a signal that comes while it makes its folder is heard, and the folder removed.
  const run = new Run(plan, cli, boundMs);
  try {
    return await Promise.race([run.play(), interrupted]);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
    await run.clear();
  }
}

class Run {
  readonly #plan: Plan;
  readonly #ground = new Ground();
  readonly #timeline = new Timeline();
  readonly #coordinator: CoordinatorPart;
  readonly #cli: string;
  readonly #boundMs: number;
  readonly #machines = new Map<Machine, MachinePart>();
  readonly #networks = new Map<Machine, FaultyNetwork>();
  readonly #faults: Partial<Record<FaultKind, number>> = {};
  /** Process faults under way. */
  readonly #acts: Promise<unknown>[] = [];
  /** Resolves when the first job is worked at. */
  readonly #atWork = Promise.withResolvers<void>();
  #traps: SetTrap[] = [];
  #watch: SecretWatch | undefined;
  /** It was ended before its time: nothing more is begun. */
  #isOver = false;
  #wasWanted = false;

  constructor(plan: Plan, cli: string, boundMs: number) {
    this.#plan = plan;
    this.#boundMs = boundMs;
    this.#cli = cli;
    this.#coordinator = new CoordinatorPart({ ground: this.#ground, timeline: this.#timeline, cli });
  }

  async play(): Promise<Played> {
    await this.#prepare();
    const begins = this.#plan.faults.filter(({ at, kind }) => kind === 'trap' && at === 0);
    await Promise.all(begins.map((fault) => this.#inflict(fault, 0)));
    await Promise.all([...this.#machines.values()].map((machine) => machine.start()));
    await Promise.race([this.#atWork.promise, sleep(BEGUN)]);
    const from = this.#timeline.now();
    const others = this.#plan.faults.filter((fault) => !begins.includes(fault));
    await Promise.all(others.map((fault) => this.#inflict(fault, from)));
    await sleep(Math.max(0, from + this.#plan.calmAt - this.#timeline.now()));
    this.#traps = [];
    for (const network of this.#networks.values()) network.mend();
    await Promise.all(this.#acts);
    this.#timeline.add('plan', 'calm: nothing goes wrong any more');
    const calm = this.#timeline.now();
    await this.#settle(calm + this.#boundMs);
    const settledSec = (this.#timeline.now() - calm) / 1000;
    const evidence = await this.#goOff();
    const stages = evidence.record.map(({ stage }) => stage);
    return {
      findings: judge(evidence),
      timeline: this.#timeline,
      faults: this.#faults,
      messages: Object.values(evidence.messages).flat().length,
      stages: Object.fromEntries(
        [...new Set(stages)].map((one) => [one, stages.filter((each) => each === one).length]),
      ),
      quarantined: evidence.homes.flatMap(({ jobs }) => jobs).filter(({ stage }) => stage === 'quarantine')
        .length,
      takenOver: evidence.record.flatMap(({ events }) => events).filter(({ kind }) => kind === 'lapsed')
        .length,
      locksLeft: evidence.locks
        .filter((lock) => isOfPowerCut(lock, evidence.powerCuts))
        .map(({ file }) => file),
      settledSec,
      seconds: this.#timeline.now() / 1000,
    };
  }

  /** Nothing of it is left, however it went. */
  async clear(): Promise<void> {
    this.#isOver = true;
    for (const part of [...this.#machines.values(), this.#coordinator]) part.close();
    await Promise.allSettled(this.#acts);
    for (const part of [...this.#machines.values(), this.#coordinator]) await part.giveUp();
    for (const network of this.#networks.values()) await network.close();
    this.#watch?.end([], []);
    this.#ground.remove();
  }

  async #prepare(): Promise<void> {
    await this.#coordinator.start();
    const { token: adminToken, api } = this.#coordinator;
    const tokens = [adminToken];
    for (const machine of MACHINES) {
      const network = new FaultyNetwork({
        target: () => this.#coordinator.port,
        heard: (message) => this.#heard(machine, message),
        answered: (message) => this.#springs(machine, message),
      });
      const identity = { api, factoryId: machine };
      const enrolmentToken = await enrolmentTokenFor({ ...identity, adminToken });
      const token = await enrol({ ...identity, enrolmentToken });
      tokens.push(token);
      const around = { ground: this.#ground, timeline: this.#timeline, cli: this.#cli };
      const reached = { api: `http://127.0.0.1:${await network.listen()}/api`, token };
      this.#networks.set(machine, network);
      this.#machines.set(machine, new MachinePart(machine, around, reached));
    }
    this.#watch = new SecretWatch(this.#ground.folder, tokens);
    for (const job of this.#plan.jobs) {
      const { status, body } = await this.#coordinator.call('POST', '/fleet/jobs', {
        id: job.id,
        bodyMd: bodyOf(job),
      });
      if (status >= 300) throw new Error(`${job.id} was not taken: ${JSON.stringify(body)}`);
    }
  }

  async #inflict(fault: Fault, from: number): Promise<void> {
    await sleep(Math.max(0, from + fault.at - this.#timeline.now()));
    if (this.#isOver || (fault.kind === 'clock' && !canFakeClocks)) return;
    const isOfCoordinator = fault.kind === 'kill-coordinator' || fault.kind === 'freeze-coordinator';
    const part = isOfCoordinator
      ? this.#coordinator
      : 'machine' in fault && this.#machines.get(fault.machine);
    // What is down or frozen already cannot be killed; waiting for it would make the run longer, and it no richer.
    if (isOfProcess(fault.kind) && (part === undefined || part === false || !part.isFree)) return;
    if (fault.kind !== 'trap') this.#count(fault.kind);
    const who = 'machine' in fault ? fault.machine : 'coordinator';
    if (!isOfProcess(fault.kind)) this.#timeline.add(who, `*** ${inWords(fault)}`);
    const machine = 'machine' in fault ? this.#machines.get(fault.machine) : undefined;
    const network = 'machine' in fault ? this.#networks.get(fault.machine) : undefined;
    switch (fault.kind) {
      case 'kill':
        return machine?.kill(fault.forMs);
      case 'power-cut':
        return machine?.powerCut(fault.forMs);
      case 'freeze':
        return machine?.freeze(fault.forMs);
      case 'clock':
        return machine?.setClock(fault.stepSec);
      case 'kill-coordinator':
        return this.#coordinator.kill(fault.forMs);
      case 'freeze-coordinator':
        return this.#coordinator.freeze(fault.forMs);
      case 'trap':
        return void this.#traps.push(fault);
      case 'requeue':
        return this.#requeue(fault.job);
      default:
        network?.spoil(fault.kind, fault.delayMs);
        await sleep(fault.forMs);
        network?.mend();
        return this.#timeline.add(fault.machine, `*** ${fault.kind} is over`);
    }
  }

  #count(kind: FaultKind): void {
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
  }

  #heard(machine: Machine, message: Message): void {
    const text = inWordsOf(message);
    if (text !== undefined) this.#timeline.add(machine, `→ ${text}`);
  }

  /** True: the answer is lost, because of what happens at this very moment. */
  #springs(machine: Machine, message: Message): boolean {
    const moment = momentOf(message);
    if (moment === 'building') this.#atWork.resolve();
    const trap = this.#traps.find((each) => each.machine === machine && each.moment === moment);
    if (trap === undefined) return false;
    const part = trap.trap === 'kill-coordinator' ? this.#coordinator : this.#machines.get(machine);
    if (part?.isFree !== true) return false;
    this.#traps = this.#traps.filter((each) => each !== trap);
    this.#count('trap');
    const job = givenBy(message)?.job ?? message.job;
    this.#timeline.add(machine, `*** trap: ${trap.trap} ${trap.afterMs} ms after ${moment} of ${job}`);
    if (trap.trap === 'lose-answer') return true;
    const { trap: what, afterMs, forMs } = trap;
    const act =
      afterMs === 0 ? actOf(what, part, forMs) : sleep(afterMs).then(() => actOf(what, part, forMs));
    this.#acts.push(act);
    return trap.afterMs === 0 && trap.trap !== 'freeze';
  }

  /** Until there is nothing left to do; what is not done at the bound the judge finds. */
  async #settle(end: number): Promise<void> {
    while (this.#timeline.now() < end && !this.#isOver) {
      await sleep(250);
      const record = await recordOf(this.#coordinator);
      await this.#wantAgain(record.find(({ stage }) => stage === 'shipped')?.id);
      const isOver = record.every(({ stage }) =>
        ['shipped', 'failed', 'dead_letter', 'blocked'].includes(stage),
      );
      if (!isOver) continue;
      const homes = MACHINES.map((machine) => homeOf(this.#ground, machine, []));
      const open = homes.flatMap(({ jobs, outbox }) => [
        ...outbox,
        ...jobs.filter(({ stage }) => OPEN.includes(stage)),
      ]);
      if (open.length === 0)
        return this.#timeline.add('plan', 'settled: every job is at its end, every outbox empty');
    }
    this.#timeline.add('plan', `not settled within ${this.#boundMs / 1000} s`);
    for (const machine of MACHINES) this.#tellOfStuck(machine);
  }

  #tellOfStuck(machine: Machine): void {
    const { jobs } = homeOf(this.#ground, machine, []);
    const open = jobs.filter(({ stage }) => OPEN.includes(stage));
    for (const { id } of open)
      for (const line of stuckJob(this.#ground.of(machine, QUEUE), id)) this.#timeline.add(machine, line);
    if (open.length > 0)
      for (const line of stuckProcesses(this.#ground.of(machine))) this.#timeline.add(machine, line);
  }

  /** A person wants one that has shipped to be done anew, once: that must not be had. */
  async #wantAgain(job: string | undefined): Promise<void> {
    if (job === undefined || this.#wasWanted) return;
    this.#wasWanted = true;
    await this.#requeue(job);
  }

  async #requeue(job: string): Promise<void> {
    const to = `/fleet/jobs/${job}/requeue`;
    const answer = await this.#coordinator.call('POST', to, {}).catch(() => undefined);
    this.#timeline.add('coordinator', `${job} requeued: ${answer?.status ?? 'no answer'}`);
  }

  async #goOff(): Promise<Evidence> {
    const ended = await Promise.all([...this.#machines.values()].map((machine) => machine.stop()));
    const record = await recordOf(this.#coordinator);
    ended.push(await this.#coordinator.stop());
    let left = processesIn(this.#ground.folder);
    for (const end = this.#timeline.now() + CLEAR; left.length > 0 && this.#timeline.now() < end; ) {
      await sleep(100);
      left = processesIn(this.#ground.folder);
    }
    const landings = landingsIn(this.#ground);
    const carried = (machine: Machine) => this.#networks.get(machine)?.carried ?? [];
    return {
      planned: this.#plan.jobs,
      record,
      landings,
      homes: MACHINES.map((machine) => homeOf(this.#ground, machine, landings)),
      messages: { ada: carried('ada'), bob: carried('bob'), cyd: carried('cyd') },
      leaks: this.#watch?.end(this.#timeline.lines(), [this.#coordinator.tokenFile]) ?? [],
      locks: locksIn(this.#ground),
      powerCuts: MACHINES.filter((machine) => this.#machines.get(machine)?.hadPowerCut),
      processes: left.map(({ command }) => command),
      remarks: ended.filter((remark) => remark !== undefined),
    };
  }
}

function isOfProcess(kind: FaultKind): boolean {
  return ['kill', 'power-cut', 'freeze', 'kill-coordinator', 'freeze-coordinator'].includes(kind);
}

function actOf(
  trap: Exclude<Trap, 'lose-answer'>,
  part: MachinePart | CoordinatorPart,
  forMs: number,
): Promise<void> {
  switch (trap) {
    case 'kill':
    case 'kill-coordinator':
      return part.kill(forMs);
    case 'power-cut':
      return part.powerCut(forMs);
    case 'freeze':
      return part.freeze(forMs);
  }
}
