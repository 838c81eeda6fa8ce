import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { countedTo, counting, until, World } from './fixtures/world.ts';

/** The job that goes through every stage by itself, and counts each command that is run for it. */
function journey(world: World, extra = ''): string {
  const count = (what: string) => `echo ${what} >> "${world.file('count')}"`;
  return `---
engine: shell
cwd: ${JSON.stringify(world.repo)}
setup: '${count('setup')}; sleep 0.1'
verify:
  - '${count('first')}; test -f work.txt; sleep 0.1'
  - '${count('second')}; sleep 0.1'
${extra}---
# Journey
\`\`\`sh
${count('engine')}
${counting(10, 0.02)}
echo work > work.txt
\`\`\`
`;
}

/** What has to be true whatever was killed in between. */
async function assertShippedOnce(world: World): Promise<void> {
  // A crash between the reservation of the id and its first use leaves the id taken; the job gets the next one.
  const id = await world.onlyJob();
  const { run, reason } = await world.state(id);
  assert.equal(await world.stage(id), 'shipped', `${reason?.text} ${world.log.join('\n')}`);
  assert.equal(world.read('count'), 'setup\nengine\nfirst\nsecond\n', 'each command was run once');
  assert.equal(world.logOf(id, 'engine', run), countedTo(10), 'the log has no gap and no duplicate');
  assert.equal(world.git('-C', world.repo, 'log', '--format=%s', 'main'), 'Journey\nfirst');
  assert.equal(world.git('-C', world.repo, 'show', 'main:work.txt'), 'work');
  await until(() => world.processes().length === 0);
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function* chance(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    yield ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

describe('a runner that is killed', function () {
  this.timeout(30_000);
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.remove());

  for (const stage of ['assigned', 'building', 'testing', 'shipped']) {
    it(`when a job has just come into ${stage}: the next one finishes it`, async () => {
      await world.add('job', journey(world, 'review: skip\n'));
      assert.equal((await world.crashAt('transition', stage).ended).code, null);
      assert.equal(await world.stage('job'), stage);
      await world.runOnce();
      await assertShippedOnce(world);
    });
  }

  it('when it is about to ship: the next one ships it', async () => {
    await world.add('job', journey(world, 'review: skip\n'));
    await world.crashAt('permit').ended;
    assert.equal((await world.state('job')).landing?.kind, 'merge', 'the intent is on disk');
    assert.equal(world.git('-C', world.repo, 'rev-list', '--count', 'main'), '1');
    await world.runOnce();
    await assertShippedOnce(world);
  });

  it('when it has verified a job that ships by itself: the next one ships it', async () => {
    await world.add('job', journey(world, 'review: skip\n'));
    await world.crashAt('permit').ended;
    const { landing: _intent, ...verified } = await world.state('job');
    await world.store.writeState(verified);
    await world.runOnce();
    await assertShippedOnce(world);
  });

  /** Kills `aq run` when `seen` is true, then lets another one finish. */
  const killWhen = async (seen: () => boolean | Promise<boolean>): Promise<void> => {
    const runner = world.aq('run');
    await until(seen);
    await runner.kill('SIGKILL');
  };

  it('while setup runs: it is neither skipped nor run again', async () => {
    await world.add(
      'job',
      journey(world, 'review: skip\n').replace('sleep 0.1', 'sleep 1.5; echo ready >> a.txt'),
    );
    await killWhen(() => world.read('count') === 'setup\n');
    await world.runOnce();
    await assertShippedOnce(world);
    assert.equal(
      world.git('-C', world.repo, 'show', 'main:a.txt'),
      'a\nready',
      'the engine waited for setup',
    );
  });

  it('while the engine prints: it goes on, and its log has no gap', async () => {
    await world.add('job', journey(world, 'review: skip\n').replace('0.02', '0.15'));
    await killWhen(() => world.logOf('job').includes('line 3\n'));
    const [engine] = world.processes().filter(({ command }) => command.includes('script.sh'));
    assert.ok(engine !== undefined, 'the engine goes on without a runner');
    await world.runOnce();
    await assertShippedOnce(world);
  });

  it('when the engine has ended and nobody has looked: the result is found', async () => {
    await world.add('job', journey(world, 'review: skip\n').replace('0.02', '0.06'));
    await killWhen(() => world.logOf('job').includes('line 2\n'));
    await until(() => existsSync(path.join(world.run('job', 'engine'), 'end.json')));
    await world.runOnce();
    await assertShippedOnce(world);
  });

  it('while the second of two verify commands runs: neither is run again', async () => {
    await world.add('job', journey(world, 'review: skip\n').replace(/sleep 0\.1'\n---/, "sleep 1.5'\n---"));
    await killWhen(() => world.read('count').endsWith('second\n'));
    await world.runOnce();
    await assertShippedOnce(world);
  });

  it('after the merge and before the job has moved: it is not merged again', async () => {
    await world.add('job', journey(world, 'review: skip\n'));
    const before = world.git('-C', world.repo, 'rev-parse', 'main');
    await killWhen(() => world.git('-C', world.repo, 'rev-parse', 'main') !== before);
    await world.runOnce();
    await assertShippedOnce(world);
  });

  it('before its order has arrived: the engine is started once, also when the next runner dies as well', async () => {
    await world.add(
      'job',
      journey(world, 'review: skip\n')
        .replace('0.02', '0.15')
        .replace(/^setup.*\n/m, ''),
    );
    // On record and not begun: a runner died between the two, and its supervisor never got the order.
    await world.crashAt('transition', 'building').ended;
    const dir = world.run('job', 'engine');
    await world.store.writeState({
      ...(await world.state('job')),
      command: { kind: 'engine', dir, mark: 'of nobody', startedAt: 0 },
    });
    await killWhen(() => world.logOf('job', 'engine-again').includes('line 2\n'));
    await world.runOnce();
    assert.equal(await world.stage('job'), 'shipped');
    assert.equal(world.read('count'), 'engine\nfirst\nsecond\n');
    assert.equal(world.logOf('job', 'engine-again'), countedTo(10));
    assert.equal(existsSync(path.join(dir, 'begun.json')), false);
  });

  it('while it takes a job that was sent back: place, session and comments are kept', async () => {
    await world.add('job', journey(world));
    await world.runOnce();
    const factory = await world.open();
    assert.ok((await factory.execute({ verb: 'sendBack', id: 'job', text: 'better' })).ok);
    await factory.dispose();
    const { place } = await world.state('job');
    // The state is written, the file is not moved yet: what a claim leaves that is cut off.
    await world.store.writeState({ ...(await world.state('job')), stage: 'assigned', run: 2, attempt: 1 });
    await world.runOnce();
    const after = await world.state('job');
    assert.equal(await world.stage('job'), 'review');
    assert.deepEqual(after.place, place);
    assert.equal(after.attempt, 1);
    assert.deepEqual(
      after.comments?.map(({ text, done }) => ({ text, done })),
      [{ text: 'better', done: true }],
    );
    assert.equal(world.read('count'), 'setup\nengine\nengine\n', 'setup is not run again in the same place');
  });

  it('anywhere (a sample of all its acts): every job comes to its end, once', async function () {
    const all = process.env['AQ_CRASH_POINTS'] === 'all';
    this.timeout(all ? 3_600_000 : 60_000);
    const seed = Number(process.env['AQ_SEED'] ?? 20);
    const points = chance(seed);
    const acts = 125;
    const sample = all
      ? Array.from({ length: 2 * acts }, (_, n) => n / 2 + 1)
      : Array.from({ length: 3 }, () => 1 + Math.floor(points.next().value * 2 * acts) / 2);
    for (const point of sample) {
      const own = new World();
      try {
        const what = Number.isInteger(point) ? 'before' : 'after';
        await own.add('job', journey(own, 'review: skip\n'));
        await own.crashAt(what, Math.floor(point)).ended;
        await own.runOnce();
        await assertShippedOnce(own);
      } catch (error) {
        throw new Error(`killed at ${point} (seed ${seed}): ${String(error)}`, { cause: error });
      } finally {
        await own.remove();
      }
    }
  });

  it('at any time: the job is then in one stage, and comes to its end', async function () {
    const rounds = Number(process.env['AQ_ROUNDS'] ?? 2);
    this.timeout(15_000 * rounds);
    const seed = Number(process.env['AQ_SEED'] ?? 20);
    const times = chance(seed);
    for (let round = 0; round < rounds; round += 1) {
      const own = new World();
      try {
        await own.add('job', journey(own, 'review: skip\n'));
        for (let kill = 0; kill < 3; kill += 1) {
          const runner = own.aq('run', '--once');
          const over = new Promise((resolve) => setTimeout(resolve, 100 + times.next().value * 900));
          await Promise.race([over, runner.ended]);
          await runner.kill('SIGKILL');
          await own.stage('job');
        }
        await own.runOnce();
        await assertShippedOnce(own);
      } catch (error) {
        throw new Error(`round ${round} (seed ${seed}): ${String(error)}`, { cause: error });
      } finally {
        await own.remove();
      }
    }
  });
});
