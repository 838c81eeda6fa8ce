/** Killed under load: what was accepted is there afterwards, and nothing else is. Holds for every store that is durable. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeToken } from '../../../src/coordinator/tokens.ts';

const SERVE = path.join(import.meta.dirname, '../fixtures/serve.ts');
const CLIENTS = 16;

/**
 * @param database a file or an address, of which a process makes its store.
 * @param strike instead of killing that process: whatever else it must survive.
 */
export function crashConformance(database: () => string, strike?: () => Promise<void>): void {
  const admin = makeToken('admin');
  let child: ChildProcess;
  let api: string;

  async function start(): Promise<void> {
    child = spawn(process.execPath, [SERVE, database(), admin.hash], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    assert.ok(child.stdout);
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    api = line;
  }

  async function kill(): Promise<void> {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async function call(method: string, where: string, key: string, body?: unknown) {
    const answer = await fetch(`${api}${where}`, {
      method,
      headers: {
        authorization: `Bearer ${admin.token}`,
        'idempotency-key': key,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    // Not accepted, as far as anybody knows.
    if (answer.status === 503) throw new Error('unavailable');
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** It goes on by itself. */
  async function recovered(): Promise<void> {
    for (let tries = 0; !(await fetch(`${api}/healthz`)).ok; tries += 1) {
      assert.ok(tries < 200, 'it does not recover');
      await sleep(50);
    }
  }

  before(start);
  after(kill);

  it('loses nothing that it accepted, and remembers nothing that it did not', async () => {
    /** By job: the stages that were accepted, and the one that was asked for when the answer did not come. */
    const known = new Map<string, { accepted: string; asked: string; epoch: number }>();
    const claims = new Map<string, string>();
    let count = 0;
    for (let round = 0; round < 3; round++) {
      const over = new AbortController();
      const client = async (n: number) => {
        try {
          while (!over.signal.aborted) {
            count += 1;
            const id = `job-${count}`;
            const job = { accepted: '', asked: 'queued', epoch: 0 };
            known.set(id, job);
            await call('POST', '/fleet/jobs', id, { id, bodyMd: 'x', requires: [`who:${round}-${n}`] });
            job.accepted = 'queued';
            job.asked = 'assigned';
            const claim = { factoryId: `f${n}`, capabilities: [`who:${round}-${n}`] };
            claims.set(id, `claim-${id}`);
            const given = await call('POST', '/fleet/claim', `claim-${id}`, claim);
            assert.equal(given.body.job.id, id);
            job.accepted = 'assigned';
            job.epoch = given.body.leaseEpoch;
            for (const stage of ['building', 'testing', 'shipped']) {
              job.asked = stage;
              const answer = await call('PATCH', `/fleet/jobs/${id}`, `${id}-${stage}`, {
                stage,
                leaseEpoch: job.epoch,
              });
              assert.equal(answer.status, 200);
              job.accepted = stage;
            }
          }
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
        }
      };
      const clients = Array.from({ length: CLIENTS }, (_, n) => client(n));
      await sleep(400 + 137 * round);
      await (strike ?? kill)();
      over.abort();
      await Promise.all(clients);
      if (strike === undefined) await start();
      else await recovered();
    }
    assert.ok(known.size > 100, String(known.size));
    let doubtful = 0;
    for (const [id, { accepted, asked, epoch }] of known) {
      const { status, body } = await call('GET', `/fleet/jobs/${id}`, 'look');
      if (accepted !== asked) doubtful += 1;
      const stage = status === 404 ? '' : body.stage;
      assert.ok(
        stage === accepted || stage === asked,
        `${id}: ${stage}, accepted ${accepted}, asked ${asked}`,
      );
      if (epoch > 0) assert.equal(body.leaseEpoch, epoch);
      if (stage === '') continue;
      // Stage and events are of one transaction: the last event tells of this very stage.
      const { body: told } = await call('GET', `/fleet/jobs/${id}/events`, 'look');
      assert.equal(told.events.at(-1).to, stage);
      const stages = ['queued', 'assigned', 'building', 'testing', 'shipped'];
      assert.equal(told.events.length, stages.indexOf(stage) + 1);
      // A repeat of what was not answered is accepted, and a claim gives the job that it gave.
      if (stage === 'assigned' && accepted === 'queued') {
        const body = { factoryId: told.events.at(-1).factoryId, capabilities: [] };
        assert.equal((await call('POST', '/fleet/claim', claims.get(id) ?? '', body)).body.job.id, id);
      }
      if (epoch > 0 && asked !== 'assigned') {
        const again = { stage: asked, leaseEpoch: epoch };
        assert.equal((await call('PATCH', `/fleet/jobs/${id}`, `${id}-${asked}`, again)).status, 200);
      }
    }
    assert.ok(doubtful > 0, 'it was killed while requests were under way');
    const { body } = await call('GET', '/fleet/jobs?limit=500', 'look');
    for (const { id } of body.jobs) assert.ok(known.has(id), id);
  });
}
