/** The people of a fleet: whoever sits at a laptop, and the operator. All that they do, they do through `aq`. */
import type { JobRow } from '../../src/runner/board.ts';
import { loadUndici } from '../stand-ins/undici.ts';
import type { Machine } from '../world/machine.ts';
import { MAIN } from '../world/repository.ts';
import type { Laptop, Opened } from './factory.ts';
import type { Ledger } from './ledger.ts';
import { fileOf, type JobPlan } from './plan.ts';

/** What one does about a job that waits for somebody; `patient`: only what brings it to an end. */
async function seeTo({ factory }: Opened, row: JobRow, laptop: Laptop, patient: boolean): Promise<void> {
  const { chance } = laptop.machine.world;
  const { id, stage, settled } = row;
  const say = (text: string) => laptop.machine.world.trace.add(laptop.machine.name, text);
  const verb =
    stage === 'review'
      ? row.reason?.code === 'conflict' || row.reason?.code === 'target-moves'
        ? 'reject'
        : chance.pick(
            patient
              ? (['approve', 'approve', 'reject'] as const)
              : (['approve', 'approve', 'sendBack', 'reject', 'ship'] as const),
          )
      : stage === 'testing'
        ? chance.pick(
            row.reason?.code === 'push-rejected'
              ? (['reject'] as const)
              : patient
                ? (['ship'] as const)
                : (['ship', 'ship', 'cancel', 'sendBack', 'reject'] as const),
          )
        : stage === 'quarantine' && settled === undefined
          ? chance.pick(['discard', 'adopt', 'requeue'] as const)
          : stage === 'blocked'
            ? 'retry'
            : stage === 'building' && !patient
              ? chance.pick(['cancel', undefined] as const)
              : undefined;
  if (verb === undefined) return;
  const answer = await factory.execute({ verb, id, ...(verb === 'sendBack' && { text: 'Better.' }) });
  say(`a person: ${verb} ${id}: ${answer.message}`);
  if (verb === 'adopt' && !answer.ok) await factory.execute({ verb: 'discard', id });
}

/** Somebody looks at the board, and does something about it. */
export function tend(laptop: Laptop, patient: boolean): void {
  laptop.aq(async (opened) => {
    const { stages } = await opened.factory.board();
    for (const { rows } of stages)
      for (const row of rows)
        if (patient || laptop.machine.world.chance.happens(0.5)) await seeTo(opened, row, laptop, patient);
  });
}

export function addLocalJob(laptop: Laptop, job: JobPlan): boolean {
  const process = laptop.aq(({ factory }) => factory.add(fileOf(job), job.name));
  return process !== undefined;
}

/** Somebody commits to the branch that jobs land on. */
export function moveMain({ machine }: Laptop, ledger: Ledger, n: number): void {
  const { repository } = machine;
  const tip = repository.refs.get(MAIN) as string;
  const files = new Map(repository.filesOf(repository.treeOf(tip)));
  files.set(machine.world.chance.happens(0.3) ? 'shared' : `own-${n}`, `${machine.name}.${n}`);
  const commit = repository.commit({ files, parents: [tip], message: 'By hand' });
  ledger.personCommits(commit);
  repository.setRef(MAIN, commit);
}

/** A request of the operator, repeated until it is answered. */
export function operate(
  machine: Machine,
  token: string,
  request: { method: string; path: string; body?: unknown },
): void {
  const process = machine.start('operator', async () => {
    process.isInFleet = true;
    const { Agent, request: send } = await loadUndici();
    const key = `operator-${machine.world.chance.hex(8)}`;
    for (;;) {
      try {
        const answer = await send(`https://fleet.example/api${request.path}`, {
          method: request.method,
          dispatcher: new Agent(),
          signal: AbortSignal.timeout(15_000),
          headers: { authorization: `Bearer ${token}`, 'x-product-id': 'acme', 'idempotency-key': key },
          ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
        });
        if (answer.statusCode < 500) return;
      } catch {
        // Nobody heard it, or nobody was heard: again.
      }
      await new Promise<void>((resolve) => void setTimeout(resolve, 5000));
    }
  });
}
