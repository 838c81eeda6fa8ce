/**
 * The product with one rule broken, once for each rule: what the simulator has to find, if it is worth anything. Only
 * the simulator can load it so (interpose.ts).
 */
import type { Mutation } from './interpose.ts';

export interface Variant extends Mutation {
  readonly name: string;
  /** Seeds that find it, quickest first: what `npm test` runs. */
  readonly seeds: readonly number[];
}

export const VARIANTS: readonly Variant[] = [
  {
    name: 'a renewal is accepted under any epoch',
    file: 'coordinator/rules/fence.ts',
    replace: [
      [
        'if (call.epoch !== job.epoch) return',
        "if (call.what !== 'renew' && call.epoch !== job.epoch) return",
      ],
      ['if (caller !== null && caller', "if (call.what !== 'renew' && caller !== null && caller"],
    ],
    seeds: [11, 2],
  },
  {
    name: 'a report is accepted of a job that nobody holds',
    file: 'coordinator/rules/fence.ts',
    replace: [
      [
        "  return stale(job.epoch, job.reason === 'cancelled'",
        "  if (job.epoch > 0) return 'holds';\n  return stale(job.epoch, job.reason === 'cancelled'",
      ],
    ],
    seeds: [189, 178, 142],
  },
  {
    name: 'a claim does not raise the epoch',
    file: 'coordinator/rules/claim.ts',
    replace: [['epoch: job.epoch + 1,', 'epoch: Math.max(1, job.epoch),']],
    seeds: [6, 2],
  },
  {
    name: 'a repeated claim gets the job even if another has it',
    file: 'coordinator/operations/leases.ts',
    replace: [
      [
        'if (job === undefined || !isStillGiven(job, factoryId, before.epoch ?? -1))',
        'if (job === undefined || !job.held || !isStillGiven(job, job.factoryId ?? factoryId, job.epoch))',
      ],
    ],
    seeds: [448, 247, 120],
  },
  {
    name: 'a shipped job can be requeued',
    file: 'coordinator/rules/person.ts',
    replace: [["if (!isOpenToPeople(job.stage)) return illegal(job.stage, 'queued');", '']],
    seeds: [46, 67],
  },
  {
    name: 'a cancelled job keeps its holder',
    file: 'coordinator/rules/person.ts',
    replace: [
      [
        "{ ...withoutHolder(job), stage: 'failed', reason: 'cancelled' }",
        "{ ...job, stage: 'failed', reason: 'cancelled' }",
      ],
    ],
    seeds: [70, 54],
  },
  {
    name: 'a job is given out before those that it needs',
    file: 'coordinator/rules/lease.ts',
    replace: [["job.stage === 'queued' && job.waitsFor.length === 0", "job.stage === 'queued'"]],
    seeds: [10, 8],
  },
  {
    name: 'leases expire by the monotonic clock only, and no sleep is noticed',
    file: 'fleet/elapsed.ts',
    replace: [
      [
        'Math.max(to.wall - from.wall, to.monotonic - from.monotonic, 0)',
        'Math.max(to.monotonic - from.monotonic, 0)',
      ],
      ['return difference > TOLERANCE ||', 'return difference > Infinity ||'],
    ],
    seeds: [33, 31],
  },
  {
    name: 'an outbox is replayed before its lease is renewed',
    file: 'fleet/session.ts',
    replace: [
      [
        'if (renew !== undefined) return',
        'if (renew !== undefined && !open.some(({ waiting }) => waiting > 0)) return',
      ],
      ["waiting > 0 && standing(lease, now) === 'held'", 'waiting > 0'],
    ],
    seeds: [2, 1],
  },
  {
    name: 'a claim without an answer is not repeated under its request id',
    file: 'fleet/claiming.ts',
    replace: [
      ['const requestId = unfinished ?? (await claims.begin());', 'const requestId = await claims.begin();'],
    ],
    seeds: [4, 2],
  },
  {
    name: 'a job lands although its fenced report was refused',
    file: 'fleet/shipping.ts',
    replace: [["    return 'fenced';", "    return 'accepted';"]],
    seeds: [108, 4],
  },
  {
    name: 'a job lands although nobody has answered its fenced report',
    file: 'fleet/shipping.ts',
    replace: [
      [
        '      this.#side.failed(outcome);\n      return unanswered(held);',
        "      this.#side.failed(outcome);\n      return 'accepted';",
      ],
    ],
    seeds: [28],
  },
  {
    name: 'a job lands before its fenced report',
    file: 'runner/steps/land.ts',
    replace: [["if (kind !== 'none' || claim !== undefined) {", 'if (kind === undefined) {']],
    seeds: [1],
  },
  {
    name: 'a job lands without an intent on disk',
    file: 'runner/steps/land.ts',
    replace: [
      [
        'else await work.save({ landing, ...pushedAs(work.state, kind) });',
        'else work.note({ ...work.state, landing });',
      ],
    ],
    seeds: [8, 10],
  },
  {
    name: 'reports are only in memory',
    file: 'fleet/outbox.ts',
    replace: [['await writeDurable(file, `${JSON.stringify(box)}\\n`);', '']],
    seeds: [1],
  },
  {
    name: 'what is written is not synced',
    file: 'platform/files.ts',
    replace: [
      [
        '    await handle.writeFile(content);\n    await handle.sync();',
        '    await handle.writeFile(content);',
      ],
    ],
    seeds: [20, 14],
  },
  {
    name: 'two processes run the jobs of one home',
    file: 'runner/home/seat.ts',
    replace: [
      [
        'this.#lock = tryLock(this.#layout.runnerLock);',
        'this.#lock = tryLock(this.#layout.runnerLock + process.pid);',
      ],
    ],
    seeds: [8, 4],
  },
  {
    name: 'a repeated claim makes a second job',
    file: 'runner/claimed/materialise.ts',
    replace: [
      [
        'if (known !== undefined && !isSame(known.claim, job.claim)) continue;',
        'if (known !== undefined) continue;',
      ],
    ],
    seeds: [14, 20],
  },
  {
    name: 'a lease that was found on disk is taken for certain',
    file: 'fleet/take-up.ts',
    replace: [["held.lease = doubted(held.lease, 'restart');", '']],
    seeds: [114, 336, 144],
  },
  {
    name: 'a prompt is logged',
    file: 'fleet/claiming.ts',
    replace: [['as ${id}.`', 'as ${id}: ${job.bodyMd}`']],
    seeds: [1, 3],
  },
];
