import assert from 'node:assert/strict';
import fs, { existsSync, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { systemClock } from '../../../src/platform/clock.ts';
import { identityOf, isAlive } from '../../../src/platform/processes/table.ts';
import type { RunBegun } from '../../../src/runner/supervisor/contract.ts';
import { countedTo, counting, type Running, until, World } from './fixtures/world.ts';

function shellJob(world: World, script: string, keys = ''): string {
  return `---\nengine: shell\ncwd: ${JSON.stringify(world.repo)}\n${keys}---\n# Job\n\`\`\`sh\n${script}\n\`\`\`\n`;
}

describe('the processes of a factory', function () {
  this.timeout(30_000);
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.remove());

  const counted = (seconds: number, lines = 10): string =>
    `echo engine >> "${world.file('count')}"\n${counting(lines, seconds)}\necho work > work.txt`;
  const printed = (line: string, id = 'job') => until(() => world.logOf(id).includes(line));
  const begun = (id = 'job', attempt = 1): Required<RunBegun> =>
    JSON.parse(
      readFileSync(path.join(world.run(id, 'engine', attempt), 'begun.json'), 'utf8'),
    ) as Required<RunBegun>;
  const nothingRuns = () => until(() => world.processes().length === 0);
  /** Resolves when this process is the home's runner. */
  const isRunner = (runner: Running) =>
    until(() => {
      const info = world.read('home/runner.json');
      return info !== '' && (JSON.parse(info) as { pid: number }).pid === runner.pid;
    });

  describe('when the supervisor is killed', () => {
    it('what the engine left running is ended, and the job says so', async () => {
      await world.add('job', shellJob(world, `(setsid sleep 300 &)\n${counted(0.1, 300)}`));
      const runner = world.aq('run', '--once');
      await printed('line 2\n');
      process.kill(begun().supervisor.pid, 'SIGKILL');
      assert.equal((await runner.ended).code, 1);
      assert.equal(await world.stage('job'), 'failed');
      const { reason } = await world.state('job');
      assert.equal(reason?.code, 'interrupted');
      assert.match(reason?.text ?? '', /cut off before the engine had finished/);
      await nothingRuns();
    });

    it('together with the runner (a power cut), the next runner ends what is left', async () => {
      await world.add('job', shellJob(world, `(setsid sleep 300 &)\n${counted(0.1, 300)}`));
      const runner = world.aq('run');
      await printed('line 2\n');
      process.kill(begun().supervisor.pid, 'SIGKILL');
      await runner.kill('SIGKILL');
      assert.ok(await isAlive(begun().child));
      await world.runOnce();
      assert.equal(await world.stage('job'), 'failed');
      assert.equal((await world.state('job')).reason?.code, 'interrupted');
      await nothingRuns();
    });

    it('an engine with sessions goes on with its session, three times at most', async () => {
      const engine = world.file('engine.sh');
      world.write(
        'engine.sh',
        `#!/bin/sh\necho "$1 $2" >> "${world.file('sessions')}"\necho up\nsleep 300\n`,
      );
      const factory = await world.open({
        engines: {
          mine: {
            executable: '/bin/sh',
            args: [engine, 'new', '{sessionId}'],
            resumeArgs: [engine, 'resume', '{sessionId}'],
            session: 'given',
          },
        },
      });
      await world.add('job', shellJob(world, '').replace('shell', 'mine'));
      await factory.startRunner();
      for (let attempt = 1; attempt <= 4; attempt += 1) {
        await until(() => existsSync(path.join(world.run('job', 'engine', attempt), 'engine.log')));
        process.kill(begun('job', attempt).supervisor.pid, 'SIGKILL');
      }
      await world.inStage('job', 'failed');
      await factory.dispose();
      const { reason, session } = await world.state('job');
      assert.equal(reason?.code, 'interrupted');
      assert.equal(
        world.read('sessions'),
        [`new ${session}`, ...Array<string>(3).fill(`resume ${session}`), ''].join('\n'),
      );
      await nothingRuns();
    });
  });

  /** A factory with an engine that tells its session, and then works for a long time; and what it was started with. */
  async function engineThatTells() {
    const engine = world.file('engine.sh');
    const told = `{"type":"init","id":"session-7"}`;
    world.write(
      'engine.sh',
      `#!/bin/sh\necho "$*" >> "${world.file('sessions')}"\necho '${told}'\nexec sleep 300\n`,
    );
    const factory = await world.open({
      engines: {
        mine: {
          executable: '/bin/sh',
          args: [engine, 'new'],
          resumeArgs: [engine, 'resume', '{sessionId}'],
          session: 'told',
          events: { final: [{ type: 'result' }], session: [{ path: 'id', when: { type: 'init' } }] },
        },
      },
    });
    await world.add('job', shellJob(world, '').replace('shell', 'mine'));
    await factory.startRunner();
    const saysItsSession = (attempt: number) =>
      until(() => world.logOf('job', 'engine', attempt).includes(told));
    return { factory, saysItsSession };
  }

  it('a session that an engine has told goes on when the supervisor is killed', async () => {
    const { factory, saysItsSession } = await engineThatTells();
    await saysItsSession(1);
    process.kill(begun().supervisor.pid, 'SIGKILL');
    await saysItsSession(2);
    assert.equal(world.read('sessions'), 'new\nresume session-7\n');
    await factory.execute({ verb: 'cancel', id: 'job' });
    await factory.dispose();
    await nothingRuns();
  });

  it('a job that comes back into the queue is taken again although the work before is not quite over', async () => {
    const { factory, saysItsSession } = await engineThatTells();
    await saysItsSession(1);
    const { appendFile } = fs.promises;
    fs.promises.appendFile = async (file, data, options) => {
      // The line that comes after the move; by then the next look around has seen the file.
      if ((data as string).includes('"to":"queued"'))
        await new Promise((resolve) => setTimeout(resolve, 500));
      return appendFile(file, data, options);
    };
    syncBuiltinESMExports();
    try {
      process.kill(begun().supervisor.pid, 'SIGKILL');
      await saysItsSession(2);
    } finally {
      fs.promises.appendFile = appendFile;
      syncBuiltinESMExports();
    }
    await factory.execute({ verb: 'cancel', id: 'job' });
    await factory.dispose();
    await nothingRuns();
  });

  it('a session that an engine has told goes on when a cancelled job is retried', async () => {
    const { factory, saysItsSession } = await engineThatTells();
    await saysItsSession(1);
    await factory.execute({ verb: 'cancel', id: 'job' });
    const { message } = await factory.execute({ verb: 'retry', id: 'job' });
    assert.match(message, /goes on with its session/);
    await saysItsSession(2);
    assert.equal(world.read('sessions'), 'new\nresume session-7\n');
    await factory.execute({ verb: 'cancel', id: 'job' });
    await factory.dispose();
    await nothingRuns();
  });

  it('an engine that is killed is no success, and what it started is ended', async () => {
    await world.add('job', shellJob(world, `sleep 300 &\n${counted(0.1, 300)}`));
    const runner = world.aq('run', '--once');
    await printed('line 2\n');
    process.kill(begun().child.pid, 'SIGKILL');
    assert.equal((await runner.ended).code, 1);
    assert.equal(await world.stage('job'), 'failed');
    assert.match((await world.state('job')).reason?.text ?? '', /SIGKILL/);
    await nothingRuns();
  });

  it('an engine that daemonises its children is cancelled with all of them', async () => {
    const daemons = 'setsid -f sleep 301; setsid -f sh -c "setsid -f sleep 302; sleep 303"';
    await world.add('job', shellJob(world, `${daemons}\n${counted(0.1, 300)}`));
    const runner = world.aq('run');
    await printed('line 2\n');
    const sleeping = () => world.processes().filter(({ command }) => /^sleep 30\d/.test(command)).length;
    assert.equal(sleeping(), 3);
    const answer = await world.aq('cancel', 'job').ended;
    assert.equal(answer.code, 0, answer.stderr);
    assert.equal(sleeping(), 0, 'nothing is left when the answer comes');
    assert.equal(await world.stage('job'), 'failed');
    await runner.kill('SIGTERM');
    await nothingRuns();
  });

  describe('when two runners are started', () => {
    it('the second takes over when the first is killed, and starts nothing twice', async () => {
      await world.add('job', shellJob(world, counted(0.2, 15), 'review: skip\n'));
      const first = world.aq('run');
      await printed('line 2\n');
      const second = world.aq('run');
      await until(() => second.said().includes('Waiting: aq'));
      await first.kill('SIGKILL');
      const since = systemClock.monotonic();
      await isRunner(second);
      assert.ok(systemClock.monotonic() - since < 1_500);
      await world.inStage('job', 'shipped');
      await second.kill('SIGTERM');
      assert.equal(world.read('count'), 'engine\n');
      assert.equal(world.logOf('job'), countedTo(15));
      assert.equal(world.git('-C', world.repo, 'rev-list', '--count', 'main'), '2');
      await nothingRuns();
    });

    it('the second waits while the first is only stopped, however long the engine has ended', async () => {
      await world.add('job', shellJob(world, counted(0.1), 'review: skip\n'));
      const first = world.aq('run');
      await printed('line 2\n');
      first.child.kill('SIGSTOP');
      const second = world.aq('run');
      await until(() => second.said().includes('Waiting: aq'));
      await until(() => existsSync(path.join(world.run('job', 'engine'), 'end.json')));
      await systemClock.sleep(1_500);
      assert.equal(await world.stage('job'), 'building', 'nobody else has touched it');
      first.child.kill('SIGCONT');
      await world.inStage('job', 'shipped');
      assert.equal(world.read('count'), 'engine\n');
      assert.equal(world.logOf('job'), countedTo(10));
      await second.kill('SIGTERM');
      await first.kill('SIGTERM');
      await nothingRuns();
    });
  });

  describe('a request', () => {
    it('is passed on to the runner: approve, ship, retry and cancel', async () => {
      await world.add('job', shellJob(world, counted(0), "verify: ['test -f work.txt']\n"));
      const runner = world.aq('run');
      await world.inStage('job', 'review');
      const promoted = await world.aq('promote', 'job').ended;
      assert.match(promoted.stdout, /ready to ship/, promoted.stderr);
      assert.match((await world.aq('ship', 'job').ended).stdout, /merged into main/);
      await world.add('bad', shellJob(world, 'exit 3'));
      await world.inStage('bad', 'failed');
      assert.match((await world.aq('retry', 'bad').ended).stdout, /queued again/);
      await until(
        async () => (await world.state('bad')).run === 2 && (await world.stage('bad')) === 'failed',
      );
      const refused = await world.aq('cancel', 'bad').ended;
      assert.deepEqual([refused.code, refused.stderr.includes('not possible there')], [1, true]);
      await runner.kill('SIGTERM');
    });

    it('that waits when the runner is killed is carried out by the asker', async () => {
      await world.add('job', shellJob(world, counted(0.1, 300)));
      const runner = world.aq('run');
      await printed('line 2\n');
      runner.child.kill('SIGSTOP');
      const asker = world.aq('cancel', 'job');
      await until(() => requests(world).length === 1);
      await runner.kill('SIGKILL');
      const { code, stdout, stderr } = await asker.ended;
      assert.equal(code, 0, stderr);
      assert.match(stdout, /was cancelled/);
      assert.equal(await world.stage('job'), 'failed');
      await nothingRuns();
    });

    it('that a killed runner had begun with is answered by the next one', async () => {
      await world.add('job', shellJob(world, counted(0), "verify: ['sleep 2']\n"));
      const first = world.aq('run');
      await world.inStage('job', 'review');
      const second = world.aq('run');
      await until(() => second.said().includes('Waiting: aq'));
      const asker = world.aq('promote', 'job');
      await until(async () => (await world.state('job')).command?.kind === 'verify');
      await first.kill('SIGKILL');
      const { code, stderr } = await asker.ended;
      assert.equal(code, 1);
      assert.match(stderr, /ended before it answered.*aq status/s);
      await until(async () => (await world.state('job')).candidate !== undefined);
      assert.equal(await world.stage('job'), 'testing', 'the next runner has gone on with it');
      assert.deepEqual(requests(world), []);
      await second.kill('SIGTERM');
    });

    it('is carried out to its end where there is no runner', async () => {
      await world.add('job', shellJob(world, counted(0), "verify: ['sleep 0.5; test -f work.txt']\n"));
      assert.equal((await world.aq('run', '--once').ended).code, 0);
      const promoted = await world.aq('promote', 'job').ended;
      assert.match(promoted.stdout, /ready to ship/, promoted.stderr);
      assert.match((await world.aq('ship', 'job').ended).stdout, /merged into main/);
      assert.equal(await world.stage('job'), 'shipped');
      await nothingRuns();
    });

    it('cancels an engine that went on when its runner was stopped', async () => {
      await world.add('job', shellJob(world, counted(0.1, 300)));
      const runner = world.aq('run');
      await printed('line 2\n');
      await runner.kill('SIGTERM');
      const child = begun().child;
      assert.ok(await isAlive(child));
      const { code, stderr } = await world.aq('cancel', 'job').ended;
      assert.equal(code, 0, stderr);
      assert.equal(await isAlive(child), false);
      await nothingRuns();
    });
  });

  it('`aq run --once` beside a runner waits until there is nothing left, and takes its turn', async () => {
    await world.add('job', shellJob(world, counted(0.1, 6)));
    const runner = world.aq('run');
    await printed('line 1\n');
    const once = world.aq('run', '--once');
    await until(() => once.said().includes('Waiting: aq'));
    await world.inStage('job', 'review');
    const ended = await Promise.race([once.ended, systemClock.sleep(5_000)]);
    await runner.kill('SIGTERM');
    assert.ok(ended !== undefined, 'it exits although the other runner stays');
    assert.equal(ended.code, 0);
    assert.equal(world.read('count'), 'engine\n');
  });

  it('holds a named lock for a job that it takes up', async () => {
    const lock = `lock-${process.pid}-${Date.now()}`;
    await world.add('job', shellJob(world, counted(0.1, 20), `lock: ${lock}\n`));
    const first = world.aq('run');
    await printed('line 2\n');
    await first.kill('SIGKILL');
    await world.add('other', shellJob(world, `cat "${world.file('done')}"`, `lock: ${lock}\n`));
    await world.add('job-ends', shellJob(world, ':'));
    const second = world.aq('run', '--once');
    await world.inStage('job-ends', 'review');
    assert.equal(await world.stage('other'), 'queued', 'it waits for the lock');
    await second.ended;
    assert.equal(world.read('count'), 'engine\n');
  });

  it('carries 100 MB of output without growing', async () => {
    const line = 'a line of output as long as compilers like to make them, at path/to/some/file.ts:12:34';
    await world.add('job', shellJob(world, `yes "${line}" | head -c 100000000\necho work > work.txt`));
    const runner = world.aq('run', '--once');
    let peak = 0;
    const sample = setInterval(() => (peak = Math.max(peak, residentMiB(runner.pid))), 20);
    const { code, stderr } = await runner.ended;
    clearInterval(sample);
    assert.equal(code, 0, stderr);
    assert.equal(await world.stage('job'), 'review');
    assert.ok(peak > 0 && peak < 160, `the runner took ${peak} MiB`);
  });

  it('are ended although pids are used again: a stranger with the pid of a dead supervisor is left alone', async () => {
    await world.add('job', shellJob(world, counted(0.1, 300)));
    const runner = world.aq('run');
    await printed('line 2\n');
    const { supervisor } = begun();
    process.kill(supervisor.pid, 'SIGKILL');
    await runner.kill('SIGKILL');
    const stranger = (await identityOf(process.pid)) ?? { pid: 0, startTime: '' };
    const file = path.join(world.run('job', 'engine'), 'begun.json');
    const forged = { ...begun(), supervisor: { ...supervisor, pid: process.pid } };
    world.write(path.relative(world.dir, file), JSON.stringify(forged));
    await world.runOnce();
    assert.equal((await world.state('job')).reason?.code, 'interrupted');
    assert.ok(await isAlive(stranger));
    await nothingRuns();
  });
});

function requests(world: World): string[] {
  return world.list('home/commands').filter((name) => !name.startsWith('.'));
}

function residentMiB(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
