/** kill -9 under load: what was accepted is there afterwards, and nothing else is. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeToken } from '../../src/coordinator/tokens.ts';
import { removeScratch, scratchFolder } from '../runner/support/scratch.ts';

const SERVE = path.join(import.meta.dirname, 'fixtures/serve.ts');
const CLIENTS = 16;

describe('the coordinator, killed under load', function () {
  this.timeout(60_000);
  const admin = makeToken('admin');
  let file: string;
  let child: ChildProcess;
  let api: string;

  async function start(): Promise<void> {
    child = spawn(process.execPath, [SERVE, file, admin.hash], { stdio: ['ignore', 'pipe', 'inherit'] });
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
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  before(async () => {
    file = path.join(scratchFolder('aq-coordinator-'), 'c.db');
    await start();
  });
  after(async () => {
    await kill();
    removeScratch();
  });

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
      await kill();
      over.abort();
      await Promise.all(clients);
      await start();
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
});
