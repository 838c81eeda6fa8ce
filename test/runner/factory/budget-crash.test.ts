/** A runner that is killed while it counts what a run has used: it is counted once, on the day and on the job. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Layout } from '../../../src/runner/home/layout.ts';
import { writeSharedSettings } from '../../../src/runner/settings.ts';
import { EVENTS, scriptEngine } from '../support/engines.ts';
import { removeScratch } from '../support/scratch.ts';
import { World } from './fixtures/world.ts';

describe('a runner that is killed while it counts', function () {
  this.timeout(30_000);
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(async () => {
    await world.remove();
    removeScratch();
  });

  /** One job whose engine says that it cost $0.30; the home's own settings describe it. */
  async function begin(): Promise<void> {
    await world.store.open();
    const events = { ...EVENTS, costUsd: [{ path: 'cost', when: { type: 'result' } }] };
    const engine = scriptEngine(
      `echo run >> '${world.file('count')}'; echo x > x.txt; echo '{"type":"result","ok":true,"text":"Done.","cost":0.3}'`,
      { events },
    );
    await writeSharedSettings(new Layout(world.home), { engines: { paid: engine } });
    await world.add('job', `---\nengine: paid\ncwd: ${JSON.stringify(world.repo)}\n---\n# Work\n`);
  }

  async function assertCountedOnce(): Promise<void> {
    const id = await world.onlyJob();
    assert.equal(await world.stage(id), 'review', world.log.join('\n'));
    assert.equal(world.read('count'), 'run\n', 'the engine ran once');
    const { usage } = await world.state(id);
    assert.deepEqual([usage?.costUsd, usage?.atLeast], [0.3, undefined]);
    const factory = await world.open();
    const { today } = await factory.board();
    assert.deepEqual([today.usage?.costUsd, today.usage?.atLeast], [0.3, undefined]);
    const files = readdirSync(world.store.layout.spend);
    assert.equal(files.length, 1);
    const lines = readFileSync(path.join(world.store.layout.spend, files[0] ?? ''), 'utf8').trim();
    assert.equal(lines.split('\n').length, 1, lines);
    await factory.dispose();
  }

  // The account is written, the state, the job's file moved, the journal told.
  const points = ['spend/20', 'spend/20+1', 'spend/20+2', 'spend/20+3', 'spend/20+4'];
  for (const point of points) {
    for (const when of ['before', 'after']) {
      it(`${when} ${point}`, async () => {
        await begin();
        assert.equal((await world.crashAt(when, point).ended).code, null, 'it was killed');
        await world.runOnce();
        await assertCountedOnce();
      });
    }
  }

  it('again and again at the same place', async () => {
    await begin();
    for (let n = 0; n < 3; n += 1) assert.equal((await world.crashAt('before', 'spend/20').ended).code, null);
    await world.crashAt('after', 'spend/20').ended;
    await world.runOnce();
    await assertCountedOnce();
  });

  it('anywhere (every act, when asked)', async function () {
    if (process.env['AQ_CRASH_POINTS'] !== 'all') return this.skip();
    this.timeout(3_600_000);
    await begin();
    const total = Number((await world.crashAt('before', 100_000).ended).stdout);
    assert.ok(total > 50, String(total));
    for (let act = 1; act <= total; act += 1) {
      for (const when of ['before', 'after']) {
        await world.remove();
        world = new World();
        await begin();
        await world.crashAt(when, act).ended;
        await world.runOnce();
        await assertCountedOnce().catch((error: unknown) => {
          throw new Error(`${when} ${act}: ${String(error)}`, { cause: error });
        });
      }
    }
  });
});
