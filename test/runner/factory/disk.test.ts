import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { systemClock } from '../../../src/platform/clock.ts';
import { countedTo, counting, mayMount, type Running, until, World } from './fixtures/world.ts';

/** Waits for the file `go`, so that the test decides when the engine ends. */
const WAIT = (world: World, file = 'go') => `until [ -e "${world.file(file)}" ]; do sleep 0.02; done`;

function job(world: World, script: string, keys = ''): string {
  return `---\nengine: shell\ncwd: ${JSON.stringify(world.repo)}\n${keys}---\n# Job\n\`\`\`sh\n${script}\n\`\`\`\n`;
}

describe('a disk', function () {
  this.timeout(40_000);
  let world: World;
  before(function () {
    // Root on Linux, as in CI; elsewhere these are counted as skipped.
    if (!mayMount()) this.skip();
  });
  afterEach(() => world?.remove());

  const saidOf = (runner: Running, text: RegExp) => until(() => text.test(runner.said()));
  const lives = (runner: Running) => assert.equal(runner.child.exitCode ?? runner.child.signalCode, null);

  describe('that is full', () => {
    it('takes no job, says so, and takes it when there is room', async () => {
      world = new World({ home: 1024 });
      await world.aq('status').ended;
      world.fill('home');
      world.write('job.md', job(world, 'echo work > work.txt'));
      const refused = await world.aq('add', world.file('job.md')).ended;
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /no space left/);
      assert.deepEqual(world.list('home/inbox'), [], 'nothing of it is left');
      assert.equal((await world.aq('status').ended).code, 0);
      world.makeRoom('home');
      assert.equal((await world.aq('add', world.file('job.md')).ended).code, 0);
      assert.equal(world.list('home/inbox').length, 1);
    });

    it('leaves a job queued, and the runner waits for it', async () => {
      world = new World({ home: 1024 });
      await world.add('job', job(world, 'echo work > work.txt'));
      await world.aq('status').ended;
      world.fill('home');
      const runner = world.aq('run');
      await saidOf(runner, /the disk takes no writes.*ENOSPC.*Nothing is lost/);
      assert.equal(await world.stage('job'), 'queued');
      lives(runner);
      world.makeRoom('home');
      await world.inStage('job', 'review');
      await runner.kill('SIGTERM');
    });

    it('while the engine runs: it goes on and ends, and is found to have ended when there is room', async () => {
      world = new World({ home: 1024 });
      await world.add('job', job(world, `echo work > work.txt\necho up\n${WAIT(world)}\n${counting(50, 0)}`));
      const runner = world.aq('run');
      await until(() => world.logOf('job').includes('up\n'));
      world.fill('home');
      world.write('go', '');
      await until(() => !world.processes().some(({ command }) => command.includes('script.sh')));
      assert.equal(await world.stage('job'), 'building');
      lives(runner);
      world.makeRoom('home');
      await world.inStage('job', 'review');
      assert.equal(world.logOf('job'), `up\n${countedTo(50)}`);
      assert.equal((await world.state('job')).result?.files, 1);
      await runner.kill('SIGTERM');
    });

    it('does not keep a job from being cancelled: what runs is ended at once', async () => {
      world = new World({ home: 1024 });
      await world.add('job', job(world, `echo up\nsleep 300`));
      const runner = world.aq('run');
      await until(() => world.logOf('job').includes('up\n'));
      const sleeping = () => world.processes().some(({ command }) => command.startsWith('sleep 300'));
      const factory = await world.open();
      // The request is on its way before the disk is full, the runner carries it out after.
      runner.child.kill('SIGSTOP');
      const answer = factory.execute({ verb: 'cancel', id: 'job' });
      await until(() => world.list('home/commands').some((name) => name.endsWith('.request.json')));
      world.fill('home');
      runner.child.kill('SIGCONT');
      await until(() => !sleeping());
      assert.equal(await world.stage('job'), 'building');
      lives(runner);
      world.makeRoom('home');
      assert.equal((await answer).ok, true);
      assert.equal(await world.stage('job'), 'failed');
      await runner.kill('SIGTERM');
    });

    it('while it is verified and shipped: a person is told, and it ships when there is room', async () => {
      world = new World({ home: 1024 });
      await world.add('job', job(world, 'echo work > work.txt', "verify: ['test -f work.txt']\n"));
      await world.aq('run', '--once').ended;
      world.fill('home');
      const refused = await world.aq('promote', 'job').ended;
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /no space left.*The job is where it was/s);
      assert.equal(await world.stage('job'), 'review');
      world.makeRoom('home');
      assert.match((await world.aq('promote', 'job').ended).stdout, /ready to ship/);
      world.fill('home');
      const shipping = world.aq('ship', 'job');
      await saidOf(shipping, /the disk takes no writes/);
      assert.equal(world.git('-C', world.repo, 'rev-list', '--count', 'main'), '1');
      world.makeRoom('home');
      assert.match((await shipping.ended).stdout, /merged into main/);
      assert.equal(world.git('-C', world.repo, 'rev-list', '--count', 'main'), '2');
    });

    it('of the repository: the work is saved when there is room, and the engine is not run again', async () => {
      world = new World({ repo: 1024 });
      await world.add(
        'job',
        job(
          world,
          `echo engine >> "${world.file('count')}"\necho up\n${WAIT(world)}\nhead -c 9000 /dev/urandom > work`,
        ),
      );
      const runner = world.aq('run');
      await until(() => world.logOf('job').includes('up\n'));
      world.fill('repo');
      world.write('go', '');
      await saidOf(runner, /the disk takes no writes \(Git could not write/);
      assert.equal(await world.stage('job'), 'building');
      world.makeRoom('repo');
      await world.inStage('job', 'review');
      assert.equal((await world.state('job')).result?.files, 1);
      assert.equal(world.read('count'), 'engine\n');
      await runner.kill('SIGTERM');
    });
  });

  describe('that is read-only', () => {
    it('is shown, takes nothing, says so, and is as before when it is writable again', async () => {
      world = new World({ home: 4096 });
      await world.add('job', job(world, 'echo work > work.txt'));
      await world.aq('status').ended;
      world.remount('home', 'ro');
      const shown = await world.aq('status').ended;
      assert.equal(shown.code, 0, shown.stderr);
      assert.match(shown.stdout, /queued \(1\)/);
      world.write('other.md', job(world, ':'));
      for (const verb of [
        ['add', world.file('other.md')],
        ['run', '--once'],
        ['cancel', 'job'],
      ]) {
        const refused = await world.aq(...verb).ended;
        assert.notEqual(refused.code, 0, verb[0]);
        assert.match(refused.stderr, /read-?only/i, verb[0]);
      }
      world.remount('home', 'rw');
      assert.equal((await world.aq('run', '--once').ended).code, 0);
      assert.equal(await world.stage('job'), 'review');
    });

    it('of the repository: the job waits and says why, and goes on when it is writable again', async () => {
      world = new World({ repo: 4096 });
      await world.add('job', job(world, 'echo work > work.txt'));
      world.remount('repo', 'ro');
      const runner = world.aq('run');
      await saidOf(runner, /read-?only/i);
      await systemClock.sleep(100);
      lives(runner);
      assert.equal(await world.stage('job'), 'assigned');
      world.remount('repo', 'rw');
      await world.inStage('job', 'review');
      await runner.kill('SIGTERM');
    });
  });

  it('that was filled leaves no half-written file that is taken for a job', async () => {
    world = new World({ home: 512 });
    await world.aq('status').ended;
    world.write('big.md', job(world, `: ${'x'.repeat(600_000)}`));
    const refused = await world.aq('add', world.file('big.md')).ended;
    assert.notEqual(refused.code, 0);
    await world.runOnce();
    assert.deepEqual(world.list('home/inbox'), []);
    assert.equal(existsSync(world.file('home/blocked/big.md')), false);
  });
});
