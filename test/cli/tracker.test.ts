/** The tracker echo, as a real process tells it: a job's issue hears of its transitions, and of nothing else. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { StubCoordinator } from '../fleet/support/stub-coordinator.ts';
import { World } from '../runner/factory/fixtures/world.ts';
import { StubTracker } from '../trackers/support/stub-tracker.ts';

const CERTIFICATE = path.resolve(import.meta.dirname, '../fleet/fixtures/self-signed.pem');
const TOKEN = 'tracker-token-sentinel-4711';

describe('aq and a tracker', function () {
  this.timeout(60_000);
  let tracker: StubTracker;
  let world: World;

  beforeEach(async () => {
    tracker = await StubTracker.start(readFileSync(CERTIFICATE));
    world = new World();
    Object.assign(world.env, {
      NODE_EXTRA_CA_CERTS: CERTIFICATE,
      AQ_TRACKER_TOKEN: `localhost:${tracker.port}=${TOKEN}`,
    });
  });
  afterEach(async () => {
    await world.remove();
    await tracker.down();
  });

  const job = (script: string) =>
    `---\nengine: shell\ncwd: ${JSON.stringify(world.repo)}\nreview: skip\ntracker: https://localhost:${tracker.port}/acme/app/issues/7\n---\n# Prompt sentinel\n\`\`\`sh\n${script}\n\`\`\`\n`;
  /** What the issue has heard, whether in one comment or several. */
  const heard = () => tracker.told().join(' → ');

  it('tells the issue of each transition, once, and neither prompt nor log', async () => {
    await world.add('manners', job('env; echo log-sentinel; echo work > work.txt'));
    const { code, stdout, stderr } = await world.aq('run', '--once').ended;
    assert.equal(code, 0, stderr);
    assert.equal(heard(), 'assigned → building → testing → shipped');
    assert.equal(tracker.requests[0]?.headers.authorization, `Bearer ${TOKEN}`);
    const sent = JSON.stringify(tracker.comments);
    for (const secret of ['Prompt sentinel', 'log-sentinel', TOKEN, world.dir])
      assert.ok(!sent.includes(secret), secret);
    assert.ok(![stdout, stderr, world.logOf('manners')].join('').includes(TOKEN));
    assert.ok(!world.list('home/outbox').includes('tracker.json'));
  });

  it('says why a job has failed in fixed words', async () => {
    await world.add('manners', job('echo secret-detail >&2; exit 3'));
    await world.aq('run', '--once').ended;
    assert.equal(heard(), 'assigned → building → failed (the agent did not succeed)');
    assert.ok(!JSON.stringify(tracker.comments).includes('secret-detail'));
  });

  it('keeps what could not be told, and tells it in one comment at the next start', async () => {
    await tracker.down();
    await world.add('manners', job('echo work > work.txt'));
    const offline = await world.aq('run', '--once').ended;
    assert.equal(offline.code, 0, offline.stderr);
    assert.ok(world.list('home/outbox').includes('tracker.json'));
    await tracker.up();
    await world.aq('run', '--once').ended;
    assert.deepEqual(heard(), 'assigned → building → testing → shipped');
    assert.ok(tracker.comments.length <= 2, String(tracker.comments.length));
  });

  it('tells nothing of a claimed job: its coordinator does', async () => {
    const stub = await StubCoordinator.start();
    try {
      stub.offer('claimed', job('echo work > work.txt'));
      Object.assign(world.env, {
        AQ_FLEET: '1',
        AQ_FLEET_API: stub.api,
        AQ_FLEET_ALLOW_ENGINES: 'shell',
        AQ_FLEET_ALLOW_ROOTS: world.dir,
        AQ_FLEET_ALLOW_COMMANDS: '1',
      });
      await world.aq('run', '--once').ended;
      assert.equal(stub.jobs.get('claimed')?.stage, 'shipped');
      assert.deepEqual(tracker.requests, []);
    } finally {
      await stub.down();
    }
  });
});
