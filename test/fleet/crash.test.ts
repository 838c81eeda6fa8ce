/**
 * A factory that is killed right before or after any of its acts on the disk and any process that it starts, at every
 * step of claim, report, finish, ship and quarantine. `npm test` takes some of these points, others each day;
 * AQ_TEST_ALL_CRASHES=1 takes all.
 */
import assert from 'node:assert/strict';
import { until, World } from '../runner/factory/fixtures/world.ts';
import { StubCoordinator } from './support/stub-coordinator.ts';

const TAKES_ALL = process.env['AQ_TEST_ALL_CRASHES'] === '1';
const SAMPLES = 6;
const DAY = Math.floor(Date.now() / 86_400_000);

interface Journey {
  readonly what: string;
  /** What the coordinator does meanwhile. */
  readonly script: (stub: StubCoordinator) => StubCoordinator['script'];
  readonly check: (world: World, stub: StubCoordinator) => Promise<void>;
}

const JOURNEYS: readonly Journey[] = [
  {
    what: 'on the way from claim to ship: shipped once, under the one epoch',
    script: () => () => undefined,
    async check(world, stub) {
      assert.deepEqual([stub.jobs.get('job-1')?.stage, stub.jobs.get('job-1')?.epoch], ['shipped', 1]);
      assert.equal(await world.stage('job-1-e1'), 'shipped');
      assert.equal(world.read('ran'), 'once\n');
      assert.equal(world.git('-C', world.repo, 'log', '--format=%s', 'main'), 'From the fleet\nfirst');
    },
  },
  {
    what: 'on the way into quarantine: nothing shipped, and the work is kept',
    script: (stub) => (request) => {
      if (request.body?.stage === 'testing' && stub.jobs.get('job-1')?.epoch === 1) stub.take('job-1');
      return undefined;
    },
    async check(world, stub) {
      assert.equal(stub.jobs.get('job-1')?.epoch, 2);
      assert.equal(await world.stage('job-1-e1'), 'quarantine');
      assert.equal(world.git('-C', world.repo, 'show', 'refs/agent-queue/job-1-e1/wip:work.txt'), 'work');
      const record = JSON.parse(world.read('home/quarantine/job-1-e1.json'));
      assert.deepEqual([record.epoch, record.stale.currentEpoch, record.work.fileCount], [1, 2, 1]);
      assert.match(world.read('home/quarantine/job-1-e1.txt'), /git -C .* diff /);
      assert.equal(
        world.git('-C', world.repo, 'rev-parse', 'refs/agent-queue/job-1-e1/base'),
        record.work.base,
      );
      assert.equal(world.git('-C', world.repo, 'log', '--format=%s', 'main'), 'first');
      assert.ok(!stub.reported('job-1').includes('shipped 1'));
    },
  },
];

describe('a factory that is killed', function () {
  this.timeout(TAKES_ALL ? 3_600_000 : 600_000);

  for (const { what, script, check } of JOURNEYS) {
    it(what, async () => {
      const acts = await attempt(script, check, []);
      assert.ok(acts > 30, `only ${acts} acts`);
      const points = Array.from({ length: acts * 2 }, (_, n) => [
        n % 2 === 0 ? 'before' : 'after',
        1 + Math.floor(n / 2),
      ]);
      const chosen = TAKES_ALL ? points : sampleOf(points, SAMPLES, DAY);
      for (const [kind, n] of chosen) {
        try {
          await attempt(script, check, [kind as string, n as number], Number(n) > acts * 0.85);
        } catch (error) {
          throw new Error(`killed ${kind} act ${n} of ${acts}: ${String(error)}`, { cause: error });
        }
      }
    });
  }
});

/** One job's whole way, killed at `point` and taken up by the next runner. Returns how many acts there were. */
async function attempt(
  script: Journey['script'],
  check: Journey['check'],
  point: readonly (string | number)[],
  isLate = false,
): Promise<number> {
  const stub = await StubCoordinator.start();
  const world = new World();
  try {
    Object.assign(world.env, {
      AQ_FLEET: '1',
      AQ_FLEET_API: stub.api,
      AQ_FACTORY_ID: 'laptop-1',
      AQ_FLEET_ALLOW_ENGINES: 'shell',
      AQ_FLEET_ALLOW_ROOTS: world.dir,
      AQ_FLEET_ALLOW_COMMANDS: '1',
    });
    stub.script = script(stub);
    stub.offer('job-1', jobOf(world));
    const { stdout, stderr, code } = await world.crashAt(...point).ended;
    if (point.length > 0) {
      // Towards the end the number of acts depends on who is faster: that one may have been the last.
      assert.ok(code === null || isLate, `it was not killed: ${stderr}`);
      const next = await world.aq('run', '--once').ended;
      assert.equal(next.code === 0 || next.code === 1, true, next.stderr);
    }
    await check(world, stub);
    // Nothing is left to be told, no lease is held for nothing, and nothing runs.
    assert.deepEqual(
      world.list('home/outbox').filter((name) => name.endsWith('.reports.json')),
      [],
    );
    await until(() => world.processes().length === 0);
    return Number(stdout);
  } finally {
    await world.remove();
    await stub.down();
  }
}

function jobOf(world: World): string {
  return `---\nengine: shell\ncwd: ${JSON.stringify(world.repo)}\nreview: skip\n---\n# From the fleet\n\`\`\`sh\necho once >> "${world.file('ran')}"; echo work > work.txt\n\`\`\`\n`;
}

/** Evenly spread, others each day. */
function sampleOf<T>(all: readonly T[], many: number, day: number): T[] {
  const step = all.length / many;
  return Array.from({ length: many }, (_, n) => all[Math.floor((n + ((day * 0.618) % 1)) * step)] as T);
}
