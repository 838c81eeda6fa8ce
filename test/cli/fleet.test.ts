/** `aq` in a fleet, as a real process: what it loads, what it says, and what becomes of jobs when it is killed. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Script, StubCoordinator } from '../fleet/support/stub-coordinator.ts';
import { until, World } from '../runner/factory/fixtures/world.ts';

const CLI = path.resolve(import.meta.dirname, '../../dist/cli.js');
/** Prints the address of every module that is loaded to standard error. */
const TELL = `data:text/javascript,${encodeURIComponent(
  "import { registerHooks } from 'node:module'; import { writeSync } from 'node:fs'; registerHooks({ load(url, context, next) { writeSync(2, 'loads ' + url + String.fromCharCode(10)); return next(url, context); } });",
)}`;

describe('aq in a fleet', function () {
  this.timeout(60_000);
  let stub: StubCoordinator;
  let world: World;

  beforeEach(async () => {
    stub = await StubCoordinator.start();
    world = new World();
    Object.assign(world.env, {
      AQ_FLEET: '1',
      AQ_FLEET_API: stub.api,
      AQ_FACTORY_ID: 'laptop-1',
      AQ_FLEET_ALLOW_ENGINES: 'shell',
      AQ_FLEET_ALLOW_ROOTS: world.dir,
      AQ_FLEET_ALLOW_COMMANDS: '1',
    });
  });
  afterEach(async () => {
    await world.remove();
    await stub.down();
  });

  const job = (keys = '') =>
    `---\nengine: shell\ncwd: ${JSON.stringify(world.repo)}\n${keys}---\n# From the fleet\n\`\`\`sh\necho once >> "${world.file('ran')}"; echo work > work.txt\n\`\`\`\n`;

  /** The built program, as it is shipped, with everything that it loads. */
  async function loaded(env: NodeJS.ProcessEnv): Promise<string[]> {
    const child = spawn(process.execPath, ['--import', TELL, CLI, '--home', world.home, 'run', '--once'], {
      env: { ...world.env, ...env },
    });
    const said = await text(child.stderr);
    return [...said.matchAll(/^loads (file:.*)$/gm)].map(([, url = '']) => fileURLToPath(url));
  }
  const isFleets = (file: string) => readFileSync(file, 'utf8').includes('fenced-abort');

  it('with the flag off asks nobody, and reads nothing of the fleet from disk', async () => {
    stub.offer('job-1', job());
    await world.add('local', job('review: skip\n'));
    const files = await loaded({ AQ_FLEET: '0' });
    assert.deepEqual([files.length > 3, files.filter(isFleets)], [true, []]);
    assert.deepEqual(stub.requests, []);
    assert.equal(await world.stage('local'), 'shipped');
    assert.equal((await loaded({ AQ_FLEET: '1' })).filter(isFleets).length, 1);
    assert.notDeepEqual(stub.requests, []);
  });

  it('run --once takes what there is, and says with its exit code that nobody answers', async () => {
    stub.offer('job-1', job());
    const ran = await world.aq('run', '--once').ended;
    assert.deepEqual([ran.code, ran.stderr], [0, '']);
    assert.equal(await world.stage('job-1-e1'), 'review');
    assert.deepEqual(stub.reported('job-1'), ['building 1', 'review 1']);
    await stub.down();
    await world.add('local', job('review: skip\n'));
    const alone = await world.aq('run', '--once').ended;
    assert.equal(alone.code, 4);
    assert.match(alone.stderr, /can't be reached: nobody listens there/);
    assert.equal(await world.stage('local'), 'shipped');
  });

  it('fleet-status sends a heartbeat and shows what is known, as text and as JSON', async () => {
    stub.offer('job-1', job());
    stub.offer('job-2', job());
    await world.aq('run', '--once').ended;
    const shown = await world.aq('fleet-status').ended;
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /^Coordinator {2}http:.*reachable/m);
    assert.match(shown.stdout, /^Factory {6}laptop-1 \(os:/m);
    assert.match(shown.stdout, /^Claimable {4}0$/m);
    assert.match(shown.stdout, /^Claimed {6}job-1-e1: job job-1, epoch 1, review$/m);
    const json = JSON.parse((await world.aq('--json', 'fleet-status').ended).stdout) as Record<
      string,
      unknown
    >;
    assert.deepEqual(
      [json['fleet'], json['coordinator'], json['factoryId']],
      ['on', 'reachable', 'laptop-1'],
    );
    const status = await world.aq('status').ended;
    assert.match(status.stdout, /^Fleet {3}laptop-1 at http:/m);
    assert.match(status.stdout, /job-1-e1 .*epoch 1/);
    await stub.down();
    assert.equal((await world.aq('fleet-status').ended).code, 4);
    world.env['AQ_FLEET'] = '0';
    assert.match((await world.aq('fleet-status').ended).stdout, /^Fleet mode is off\. Set AQ_FLEET=1/);
  });

  it('fleet-status beside a runner shows the leases that this one has, counting down', async () => {
    stub.offer('job-1', job());
    const runner = world.aq('run');
    await world.inStage('job-1-e1', 'review');
    await until(() => stub.jobs.get('job-1')?.stage === 'review');
    const left = async () => {
      const { stdout } = await world.aq('fleet-status').ended;
      return Number(
        /^Lease {8}job-1-e1: job job-1, epoch 1, review, held, (\d+) min left$/m.exec(stdout)?.[1],
      );
    };
    await until(async () => (await left()) === 15);
    const refused = await world.aq('--json', 'fleet-status').ended;
    assert.equal((JSON.parse(refused.stdout) as { leases: unknown[] }).leases.length, 1);
    await runner.kill('SIGTERM');
    assert.ok(Number.isNaN(await left()), 'a runner that has ended has no lease');
    assert.ok(!world.list('home/cache').includes('fleet.json'));
    const killed = world.aq('run');
    await until(async () => (await left()) === 15);
    await killed.kill('SIGKILL');
    assert.ok(world.list('home/cache').includes('fleet.json'));
    assert.ok(Number.isNaN(await left()), 'nor has one that was killed');
  });

  it('does nothing outward for a claimed job when the fleet is off, and says why', async () => {
    stub.offer('job-1', job());
    await world.aq('run', '--once').ended;
    world.env['AQ_FLEET'] = '0';
    await world.aq('promote', 'job-1-e1').ended;
    const shipped = await world.aq('ship', 'job-1-e1').ended;
    assert.equal(shipped.code, 1);
    assert.match(shipped.stderr, /fleet mode is off.*AQ_FLEET=1/);
    assert.equal(world.git('-C', world.repo, 'rev-list', '--count', 'main'), '1');
    world.env['AQ_FLEET'] = '1';
    const again = await world.aq('ship', 'job-1-e1').ended;
    assert.match(again.stdout, /merged into main/, again.stderr);
    assert.equal(stub.jobs.get('job-1')?.stage, 'shipped');
  });

  it('an address that no token may be sent to is refused in words, before anything runs', async () => {
    world.env['AQ_FLEET_API'] = 'http://fleet.example/api';
    const refused = await world.aq('run', '--once').ended;
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /plain http to another machine/);
  });

  // Before the coordinator has done what it was asked, and after it, with the answer on its way.
  for (const when of ['before', 'after'] as const) {
    for (const step of ['claim', 'building', 'testing', 'shipped'] as const) {
      it(`killed ${when} the coordinator has dealt with “${step}”: shipped once, under one epoch`, async () => {
        stub.offer('job-1', job('review: skip\n'));
        const victim = { kill: () => undefined as unknown };
        stub.script = killedAt(step, when, () => victim.kill(), stub);
        const first = world.aq('run');
        victim.kill = () => first.kill('SIGKILL');
        await first.ended;
        stub.script = () => undefined;
        const second = await world.aq('run', '--once').ended;
        assert.equal(second.code, 0, second.stderr);
        assert.deepEqual([stub.jobs.get('job-1')?.stage, stub.jobs.get('job-1')?.epoch], ['shipped', 1]);
        assert.equal(await world.stage('job-1-e1'), 'shipped');
        assert.equal(world.git('-C', world.repo, 'rev-list', '--count', 'main'), '2');
        assert.equal(world.read('ran'), 'once\n');
        assert.deepEqual(
          world.list('home/outbox').filter((name) => name.endsWith('.reports.json')),
          [],
        );
      });
    }
  }

  it('killed when it has just been told that it is fenced: quarantined by the next one', async () => {
    stub.offer('job-1', job('review: skip\n'));
    const victim = { kill: () => undefined as unknown };
    stub.script = ({ body }) => {
      if (body?.stage !== 'testing') return undefined;
      stub.take('job-1');
      setImmediate(() => victim.kill());
      return undefined;
    };
    const first = world.aq('run');
    victim.kill = () => first.kill('SIGKILL');
    await first.ended;
    stub.script = () => undefined;
    await world.aq('run', '--once').ended;
    assert.equal(await world.stage('job-1-e1'), 'quarantine');
    assert.equal(world.git('-C', world.repo, 'rev-list', '--count', 'main'), '1');
    assert.equal(
      execFileSync('git', ['-C', world.repo, 'show', 'refs/agent-queue/job-1-e1/wip:work.txt'], {
        encoding: 'utf8',
      }),
      'work\n',
    );
  });
});

/** Kills at the request of one step; the coordinator has either not seen it, or done it and not been heard. */
function killedAt(
  step: string,
  when: 'before' | 'after',
  kill: () => unknown,
  stub: StubCoordinator,
): Script {
  return async (request, response) => {
    const isIt = step === 'claim' ? request.path.endsWith('/fleet/claim') : request.body?.stage === step;
    if (!isIt) return undefined;
    stub.script = () => undefined;
    if (when === 'after') {
      await fetch(`${stub.api.replace(/\/api$/, '')}${request.path}`, {
        method: request.method,
        headers: { 'idempotency-key': String(request.headers['idempotency-key']) },
        body: request.raw,
      });
    }
    await kill();
    response.destroy();
    return 'handled';
  };
}
