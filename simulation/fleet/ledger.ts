/**
 * What has really happened, written down where it happens and not where the product says that it did: every commit of
 * the coordinator, every branch that moved, every message. The safety rules are held against it after every step.
 */
import type { JobRecord } from '../../src/coordinator/records.ts';
import { isRefusal } from '../../src/coordinator/refusal.ts';
import type { Operation, ResultOf } from '../../src/coordinator/store.ts';
import { localIdOf } from '../../src/runner/claimed/materialise.ts';
import type { JobState } from '../../src/runner/job/state.ts';
import { directoryOf, STAGES } from '../../src/runner/stages.ts';
import { Directory, File } from '../world/disk.ts';
import type { Machine } from '../world/machine.ts';
import type { Process } from '../world/process.ts';
import { MAIN } from '../world/repository.ts';
import type { WireAnswer, WireRequest } from '../world/service.ts';
import type { World } from '../world/world.ts';
import { type Coordinator, type Observer, PRODUCT } from './coordinator.ts';
import { HOME } from './factory.ts';
import { PROMPT, TOKEN } from './plan.ts';

/** How long (ms) what was begun before a pause may still go on after it. */
const FORGIVEN = 10_000;

interface Landing {
  readonly machine: string;
  readonly localId: string;
  readonly epoch: number;
  readonly commit: string;
  readonly ref: string;
}

export class Ledger implements Observer {
  readonly #world: World;
  readonly #machines: ReadonlyMap<string, Machine>;
  coordinator: Coordinator | undefined;
  /** By job of the coordinator, or by machine and local id. */
  readonly landings = new Map<string, Landing>();
  readonly #epochs = new Map<string, number>();
  /** Accepted reports that told something new, by job. */
  readonly #accepted = new Map<string, number>();
  leaseMs = 0;
  /** Told of each report that was accepted and told something new. */
  onReport: ((jobId: string, stage: string) => void) | undefined;
  claims = 0;
  reports = 0;
  quarantined = 0;

  constructor(world: World, machines: ReadonlyMap<string, Machine>) {
    this.#world = world;
    this.#machines = machines;
  }

  committing(operation: Operation, commit: () => ResultOf<Operation['do']>): ResultOf<Operation['do']> {
    const jobId = 'jobId' in operation ? operation.jobId : undefined;
    const before = jobId === undefined ? undefined : this.row(jobId);
    const result = commit();
    if (operation.do === 'claim' && result !== 'empty' && !isRefusal(result))
      this.#claimed((result as { job: JobRecord }).job, operation.factoryId);
    if (operation.do === 'fenced' && before !== undefined && typeof result === 'object' && !isRefusal(result))
      this.#accepts(operation, before);
    if (jobId !== undefined) this.#epochOnlyRises(this.row(jobId));
    return result;
  }

  row(jobId: string): JobRecord | undefined {
    const [result] = this.coordinator?.look({ do: 'job', productId: PRODUCT, jobId }) ?? [];
    return result === undefined || isRefusal(result as object)
      ? undefined
      : (result as { job: JobRecord }).job;
  }

  #epochOnlyRises(job: JobRecord | undefined): void {
    if (job === undefined) return;
    const last = this.#epochs.get(job.id) ?? 0;
    if (job.epoch < last)
      this.#world.broken('epochs only rise', `${job.id} went from ${last} to ${job.epoch}`);
    this.#epochs.set(job.id, job.epoch);
  }

  #claimed(job: JobRecord, factoryId: string): void {
    const last = this.#epochs.get(job.id) ?? 0;
    this.claims += 1;
    this.#givenAt.set(`${factoryId} ${job.epoch} ${job.id}`, this.#world.now);
    if (job.waitsFor.length > 0)
      this.#world.broken(
        'no job before those that it needs',
        `${job.id} was given out, and waits for ${job.waitsFor.join(', ')}`,
      );
    this.#world.trace.add('coordinator', `${job.id} is ${factoryId}'s under epoch ${job.epoch}`);
    // A repeated claim is answered with the same job and epoch; any other has raised it.
    const holder = this.#holders.get(`${job.id} ${job.epoch}`);
    if (holder !== undefined && holder !== factoryId)
      this.#world.broken(
        'one holder for each epoch',
        `${job.id}, epoch ${job.epoch}: ${holder} and ${factoryId}`,
      );
    if (job.epoch < last)
      this.#world.broken('epochs only rise', `${job.id} was given under ${job.epoch} after ${last}`);
    this.#holders.set(`${job.id} ${job.epoch}`, factoryId);
    this.#epochs.set(job.id, job.epoch);
  }

  readonly #holders = new Map<string, string>();

  #accepts(operation: Operation<'fenced'>, before: JobRecord): void {
    const { call, jobId, caller } = operation;
    const after = this.row(jobId) as JobRecord;
    this.reports += 1;
    if (call.epoch !== before.epoch || (caller !== null && caller !== before.factoryId))
      this.#world.broken(
        'nothing under a stale epoch',
        `${caller}'s ${call.what} of ${jobId} under ${call.epoch}, which was ${before.epoch} and ${before.factoryId}'s`,
      );
    if (call.what !== 'renew')
      this.#world.trace.add(
        'coordinator',
        `accepts ${call.what === 'report' ? call.stage : 'release'} of ${jobId}, epoch ${call.epoch}`,
      );
    const isNews =
      after.stage !== before.stage || after.held !== before.held || after.events !== before.events;
    if (!isNews) return;
    if (!before.held)
      this.#world.broken(
        'nothing without a holder',
        `${jobId}, epoch ${call.epoch}: ${call.what} of a job that is ${before.stage}`,
      );
    if (call.what === 'report') this.onReport?.(jobId, call.stage);
    this.#accepted.set(jobId, (this.#accepted.get(jobId) ?? 0) + 1);
    const machine = this.#machines.get(before.factoryId ?? '');
    if (
      call.what === 'report' &&
      machine !== undefined &&
      this.stateOf(machine, localIdOf({ jobId, epoch: call.epoch })) === undefined
    )
      this.#world.broken(
        'no report from nowhere',
        `${jobId}, epoch ${call.epoch}: ${machine.name} has no such job`,
      );
  }

  /** What the machine's disk says of a job. */
  stateOf(machine: Machine, localId: string): JobState | undefined {
    const found = machine.disk.find(`${HOME}/runs/${localId}/state.json`);
    if (!(found instanceof File)) return undefined;
    try {
      return JSON.parse(String(found.content)) as JobState;
    } catch {
      return undefined;
    }
  }

  /** A branch has moved: if by a job, that is its outward effect, and there is to be one. */
  branchMoved(machine: Machine, ref: string, commit: string): void {
    const state = this.landingOn(machine, ref, commit);
    if (state === undefined) {
      // A person's own commit, then.
      if (!this.#byPerson.delete(commit))
        this.#world.broken(
          'nothing lands without an intent on disk',
          `${machine.name}: ${ref} came to ${commit.slice(0, 8)}`,
        );
      return;
    }
    const { claim, id } = state;
    const key = claim?.jobId ?? `${machine.name} ${id}`;
    const landing = { machine: machine.name, localId: id, epoch: claim?.epoch ?? 0, commit, ref };
    this.#world.trace.add(machine.name, `LANDS ${id} on ${ref} at ${commit.slice(0, 8)}`);
    const before = this.landings.get(key);
    // A job's own branch goes on where it was, at a person's word: sent back after a push whose answer was lost.
    const goesOn =
      before?.localId === id && before.ref === ref && ref !== MAIN && before.machine === machine.name;
    if (before !== undefined && !goesOn)
      this.#world.broken(
        'at most one outward effect per job',
        `${key}: ${JSON.stringify(before)} and ${JSON.stringify(landing)}`,
      );
    this.landings.set(key, landing);
    if (claim === undefined) return;
    const row = this.row(claim.jobId);
    if (row?.stage !== 'shipped' || row.epoch !== claim.epoch || row.factoryId !== machine.name)
      this.#world.broken(
        'no outward effect before its fenced report is accepted',
        `${id} landed, and ${claim.jobId} is ${row?.stage} under ${row?.epoch}, ${row?.factoryId}'s`,
      );
  }

  /** The job of that machine that has an intent to bring that commit there. Jobs of one work may have the same commit. */
  landingOn(machine: Machine, ref: string, commit: string): JobState | undefined {
    const states = this.localIds(machine).flatMap((id) => this.stateOf(machine, id) ?? []);
    return states.find(({ landing, stage, place, pushedAs = place?.branch }) => {
      const isThere = landing?.kind === 'merge' ? ref === landing.target : ref === pushedAs;
      return stage === 'testing' && landing?.candidate === commit && isThere;
    });
  }

  /** A ref is on its way to the remote: of a claimed job only under a certain lease. */
  pushes(from: Process, ref: string): void {
    const [, id] = /^refs\/agent-queue\/([^/]+)/.exec(ref) ?? [];
    const claim = id === undefined ? undefined : this.stateOf(from.machine, id)?.claim;
    if (claim !== undefined) this.leaves(from, claim, 'a checkpoint');
  }

  readonly #byPerson = new Set<string>();

  /** The next move of a branch to that commit is a person's. */
  personCommits(commit: string): void {
    this.#byPerson.add(commit);
  }

  sent(from: Process, { method, path, headers, body }: WireRequest): void {
    if (!from.isInFleet)
      this.#world.broken('with the flag off no message', `${from.title} sent ${method} ${path}`);
    const rest = `${path} ${body ?? ''} ${Object.entries(headers)
      .filter(([name]) => name !== 'authorization')
      .flat()
      .join(' ')}`;
    this.mustBeClean(from.name === 'operator' ? rest.replace(PROMPT, '') : rest, `${method} ${path}`);
    if (from.name === 'operator') return;
    if (path.endsWith('/fleet/claim')) this.#claimIsSent(from, headers['idempotency-key']);
    const [, jobId] = /\/fleet\/jobs\/([^/]+)$/.exec(path) ?? [];
    if (method === 'PATCH' && jobId !== undefined && body !== undefined)
      this.leaves(
        from,
        { jobId, epoch: (JSON.parse(body) as { leaseEpoch: number }).leaseEpoch },
        'a report',
      );
    if (headers['idempotency-key'] !== undefined)
      this.#sentAt.set(`${from.machine.name} ${headers['idempotency-key']}`, this.#world.now);
  }

  /** When each call under a key was sent, in time of the world; the newest of those with one key. */
  readonly #sentAt = new Map<string, number>();
  /** Claims that nobody has been told the outcome of, by machine. */
  readonly #openClaims = new Map<string, Set<string>>();
  /** By machine, job and epoch: when the newest call was sent that was accepted, and heard to be. */
  readonly #assured = new Map<string, { sentAt: number; toldAt: number; ended: boolean }>();
  /** When a claim was answered with the job: one that waits at the coordinator may have been sent long before. */
  readonly #givenAt = new Map<string, number>();

  /** A claim whose answer did not come is repeated under its request id before another is made (rule 3). */
  #claimIsSent({ machine }: Process, key: string | undefined): void {
    if (key === undefined) return this.#world.broken('a claim has a request id', machine.name);
    const open = this.#openClaims.get(machine.name) ?? new Set();
    this.#openClaims.set(machine.name, open);
    const other = [...open].find((each) => each !== key);
    if (other !== undefined)
      this.#world.broken(
        'a claim without an answer is repeated',
        `${machine.name} claims under ${key}, and ${other} is open`,
      );
    open.add(key);
  }

  answered(from: Process, { path, headers, method }: WireRequest, { status, body }: WireAnswer): void {
    const { machine } = from;
    const key = headers['idempotency-key'];
    if (key === undefined || status >= 500) return;
    this.#openClaims.get(machine.name)?.delete(key);
    if (status >= 300) return;
    const sentAt = this.#sentAt.get(`${machine.name} ${key}`) ?? this.#world.now;
    const given =
      path.endsWith('/fleet/claim') && body !== ''
        ? (JSON.parse(body) as { job: { id: string; leaseEpoch: number } }).job
        : undefined;
    const [, jobId] = /\/fleet\/jobs\/([^/]+)/.exec(path) ?? [];
    const claim =
      given === undefined
        ? { jobId, epoch: Number(key.split('.').at(-2)) }
        : { jobId: given.id, epoch: given.leaseEpoch };
    if (claim.jobId === undefined || Number.isNaN(claim.epoch)) return;
    const ended = method === 'PATCH' && (JSON.parse(body) as { stage?: string }).stage === 'shipped';
    const name = `${machine.name} ${claim.epoch} ${claim.jobId}`;
    const toldAt = (given && this.#givenAt.get(name)) ?? sentAt;
    this.#assured.set(name, { sentAt, toldAt, ended });
  }

  /**
   * Something of a claimed job leaves its machine: only under a lease that is certain (rule 6). A process that was
   * stopped with the work in its hands is forgiven for a moment: it cannot know, and the fence is there for it.
   */
  leaves(
    { machine, wokeAt }: Process,
    { jobId, epoch }: { jobId: string; epoch: number },
    what: string,
  ): void {
    const { now } = this.#world;
    const assured = this.#assured.get(`${machine.name} ${epoch} ${jobId}`);
    const since = Math.max(wokeAt, machine.disturbedAt);
    if (assured === undefined || assured.ended || now - since < FORGIVEN) return;
    const age = now - assured.sentAt;
    const isStale = age > (this.leaseMs * 2) / 3 + FORGIVEN;
    const isDoubted = machine.wokeAt > assured.toldAt && machine.sleptMs > FORGIVEN;
    if (isStale || isDoubted)
      this.#world.broken(
        'nothing leaves under an uncertain lease',
        `${machine.name} sends ${what} of ${jobId}, epoch ${epoch}, ${Math.round(age / 1000)} s after its lease was certain${isDoubted ? ', and has slept since' : ''}`,
      );
  }

  /** Neither token nor prompt in what people, logs or other services come to see. */
  mustBeClean(text: string, where: string): void {
    if (text.includes(TOKEN)) this.#world.broken('no token where it must not be', where);
    if (text.includes(PROMPT)) this.#world.broken('no prompt where it must not be', where);
  }

  localIds(machine: Machine): string[] {
    const runs = machine.disk.find(`${HOME}/runs`);
    return runs instanceof Directory ? [...runs.entries.keys()] : [];
  }

  stagesOf(machine: Machine, localId: string): string[] {
    return STAGES.filter(
      (stage) => machine.disk.find(`${HOME}/${directoryOf(stage)}/${localId}.md`) !== undefined,
    );
  }

  /** Nobody's work is put aside while the coordinator still has it for theirs. */
  nothingIsTakenFromItsHolder(machine: Machine): void {
    const folder = machine.disk.find(`${HOME}/quarantine`);
    if (!(folder instanceof Directory)) return;
    for (const name of folder.entries.keys()) {
      if (!name.endsWith('.md')) continue;
      const { claim, id } = this.stateOf(machine, name.slice(0, -'.md'.length)) ?? {};
      const row = claim && this.row(claim.jobId);
      if (row?.held === true && row.epoch === claim?.epoch && row.factoryId === machine.name)
        this.#world.broken(
          'only a stale result is quarantined',
          `${machine.name}: ${id}, and ${row.id} is its own under that epoch`,
        );
    }
  }

  /** What the coordinator has as shipped has landed, unless a person has rejected it since, which is on record. */
  shippedHasLanded(row: JobRecord): void {
    const machine = this.#machines.get(row.factoryId ?? '');
    if (row.stage !== 'shipped' || machine === undefined) return;
    const id = localIdOf({ jobId: row.id, epoch: row.epoch });
    const state = this.stateOf(machine, id);
    const [stage] = this.stagesOf(machine, id);
    const isGivenUp = stage === 'failed' && state?.reason?.code === 'rejected';
    const hasLanded = stage === 'shipped' && (state?.landed?.kind === 'none' || this.landings.has(row.id));
    if (!isGivenUp && !hasLanded)
      this.#world.broken(
        'what has shipped has landed',
        `${row.id} has shipped, and on ${machine.name} it is ${stage}`,
      );
  }

  /** Whatever was done is somewhere where a person or the next runner finds it. */
  nothingIsLost(machine: Machine): void {
    for (const id of this.localIds(machine)) {
      const state = this.stateOf(machine, id);
      if (state === undefined) continue;
      const stages = this.stagesOf(machine, id);
      if (stages.length > 1)
        this.#world.broken('a job is in one stage', `${machine.name}: ${id} is in ${stages.join(' and ')}`);
      // One that is being made of a result in quarantine is there once its file is; until then that result is.
      const isInTheMaking =
        state.madeFrom !== undefined && this.stagesOf(machine, state.madeFrom).includes('quarantine');
      if (state.result !== undefined && stages.length === 0 && !isInTheMaking)
        this.#world.broken(
          'no finished work is lost',
          `${machine.name}: ${id} was ${state.stage} and is in no stage`,
        );
      const { wipCommit, wipBranch } = state.result ?? {};
      if (wipCommit === undefined || stages[0] === 'shipped') continue;
      const { repository } = machine;
      // A newer checkpoint under the same ref may have come before a crash, and not into the state.
      const isReachable =
        repository.refs.has(wipBranch ?? '') ||
        [...repository.refs.values()].some((tip) => repository.isAncestor(wipCommit, tip));
      if (!isReachable)
        this.#world.broken(
          'no finished work is lost',
          `${machine.name}: ${id}'s ${wipBranch} is reached by no ref`,
        );
    }
  }
}
