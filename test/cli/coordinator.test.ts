/** `aq coordinator` as a real process, and what people ask of it. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { usePostgres } from '../coordinator/support/postgres.ts';
import { type Running, until, World } from '../runner/factory/fixtures/world.ts';

describe('aq coordinator', function () {
  this.timeout(60_000);
  let world: World;
  const running: Running[] = [];

  beforeEach(() => {
    world = new World();
  });
  afterEach(async () => {
    for (const each of running.splice(0)) await each.kill('SIGKILL');
    await world.remove();
  });

  /** Starts one on a free port; resolves with its address when it says that it listens. */
  async function start(...flags: string[]): Promise<{ api: string; process: Running }> {
    const process = world.aq('coordinator', '--port', '0', ...flags);
    running.push(process);
    const address = () => /^listening on (\S+)$/m.exec(process.said())?.[1];
    await until(() => address() !== undefined || process.child.exitCode !== null);
    assert.ok(address() !== undefined, process.said());
    return { api: address() ?? '', process };
  }

  const aq = (...args: string[]) => world.aq(...args).ended;

  function jobFile(name = 'manners', keys = ''): string {
    world.write(
      `${name}.md`,
      `---\nengine: shell\ncwd: ${JSON.stringify(world.repo)}\nreview: skip\n${keys}---\n# Teach manners\n\`\`\`sh\necho ${name} > ${name}.txt\n\`\`\`\n`,
    );
    return world.file(`${name}.md`);
  }

  function joins(api: string, token: string): void {
    Object.assign(world.env, {
      AQ_FLEET: '1',
      AQ_FLEET_API: api,
      AQ_FLEET_TOKEN: token,
      AQ_FACTORY_ID: 'laptop-1',
      AQ_FLEET_ALLOW_ENGINES: 'shell',
      AQ_FLEET_ALLOW_ROOTS: world.dir,
      AQ_FLEET_ALLOW_COMMANDS: '1',
    });
  }

  it('is found by the other verbs of its home; a job goes from submit to shipped by a factory', async () => {
    const { api } = await start();
    assert.match((await aq('jobs')).stdout, /^No jobs\. Give it one with `aq submit FILE`\.$/m);
    const { stdout: submitted } = await aq('submit', jobFile());
    const id = submitted.trim();
    assert.match(id, /^manners-[0-9a-f]{6}$/);
    assert.equal((await aq('jobs')).stdout, `${id}  [queued, epoch 0]\n`);
    assert.match((await aq('why', id)).stdout, /No heartbeat of a factory/);

    // The factory gets a token of its own: the operator's stays with the operator.
    const enrolment = (await aq('coordinator', 'token', '--factory', 'laptop-1')).stdout.trim();
    const own = await fetch(`${api}/fleet/enrol`, {
      method: 'POST',
      headers: { authorization: `Bearer ${enrolment}`, 'content-type': 'application/json' },
      body: '{"factoryId":"laptop-1"}',
    });
    joins(api, ((await own.json()) as { token: string }).token);
    const ran = await aq('run', '--once');
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(world.git('-C', world.repo, 'show', 'main:manners.txt'), 'manners');
    delete world.env['AQ_FLEET_TOKEN'];
    assert.equal((await aq('jobs', '--stage', 'shipped')).stdout, `${id}  [shipped, epoch 1]\n`);
    assert.match((await aq('why', id)).stdout, /^It is shipped, not queued\.$/m);
  });

  it('keeps its jobs through a kill, and its leases through a graceful end', async () => {
    const first = await start();
    const wish = ['--id', 'one', '--priority', '7', '--requires', 'tool:gpu,os:linux'];
    assert.equal((await aq('submit', jobFile(), ...wish)).code, 0);
    await first.process.kill('SIGKILL');
    const second = await start();
    assert.equal((await aq('jobs')).stdout, 'one  [queued, epoch 0, priority 7]\n');
    second.process.child.kill('SIGTERM');
    const { code, stderr } = await second.process.ended;
    assert.equal(code, 0);
    assert.match(stderr, /Stopping: what is under way is answered, and no lease is taken\./);
    assert.ok(!world.list('home/coordinator').includes('coordinator.json'));
    await start();
    assert.equal((await aq('jobs')).stdout, 'one  [queued, epoch 0, priority 7]\n');
  });

  it('keeps its files to its owner, makes the admin token once, and takes one that is there', async () => {
    const { process } = await start();
    for (const name of ['admin.token', 'coordinator.db'])
      assert.equal(statSync(world.file(`home/coordinator/${name}`)).mode & 0o777, 0o600);
    const token = world.read('home/coordinator/admin.token');
    await process.kill('SIGTERM');
    assert.ok(!process.said().includes(token.trim()), 'the token is not printed');
    await start();
    assert.equal(world.read('home/coordinator/admin.token'), token);
    assert.equal((await aq('jobs')).code, 0);
  });

  it('refuses a second one on its home, a port that is taken, and a token file that holds none, in words', async () => {
    const { api } = await start();
    const second = await aq('coordinator', '--port', '0');
    assert.equal(second.code, 1);
    assert.match(second.stderr, /Another process has the coordinator’s database .* open/);
    const port = new URL(api).port;
    const taken = await aq('coordinator', '--port', port, '--database', world.file('other.db'));
    assert.equal(taken.code, 1);
    assert.match(taken.stderr, /Another program listens on 127\.0\.0\.1:\d+ already/);
    world.write('empty.token', '\n');
    const flags = ['--database', world.file('third.db'), '--token-file', world.file('empty.token')];
    const bad = await aq('coordinator', '--port', '0', ...flags);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /empty\.token holds no token/);
    assert.equal((await aq('coordinator', '--port', 'http')).code, 2);
    assert.equal((await aq('jobs')).code, 0, 'the first one goes on');
  });

  it('says what is wrong when nobody answers, nobody may ask, or there is no such job', async () => {
    const none = await aq('jobs');
    assert.equal(none.code, 1);
    assert.match(none.stderr, /There is no admin token for http:\/\/localhost:4003\/api/);
    world.env['AQ_FLEET_TOKEN'] = 'x'.repeat(40);
    const nobody = await aq('jobs', '--api', 'http://127.0.0.1:1/api');
    assert.equal(nobody.code, 4);
    assert.match(nobody.stderr, /does not answer: nobody listens there.*aq coordinator/);
    const { api } = await start();
    world.env['AQ_FLEET_API'] = 'https://elsewhere.example/api';
    const kept = await aq('jobs', '--api', 'http://127.0.0.1:1/api');
    assert.match(
      kept.stderr,
      /There is no admin token for http:\/\/127\.0\.0\.1:1/,
      'a token stays with its address',
    );
    delete world.env['AQ_FLEET_API'];
    const refused = await aq('jobs', '--api', api);
    assert.equal(refused.code, 4);
    assert.match(refused.stderr, /turns the token down/);
    assert.ok(!refused.stderr.includes('x'.repeat(40)));
    delete world.env['AQ_FLEET_TOKEN'];
    const unknown = await aq('why', 'nobody-knows');
    assert.equal(unknown.code, 3);
    assert.equal((await aq('submit', jobFile(), jobFile('other'), '--id', 'one')).code, 1);
    world.write('broken.md', '---\nengine: [\n---\n');
    const broken = await aq('submit', world.file('broken.md'));
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /refused it/);
  });

  describe('on PostgreSQL', () => {
    const postgres = usePostgres();

    it('is run as often as one likes, and all of them have the same jobs', async () => {
      world.env['AQ_COORDINATOR_DATABASE'] = postgres.url;
      const one = await start('--token-file', world.file('admin.token'));
      const other = await start('--token-file', world.file('admin.token'));
      const asks = (api: string) => ['--api', api, '--token-file', world.file('admin.token')];
      assert.equal((await aq('submit', jobFile(), '--id', 'shared', ...asks(one.api))).stdout, 'shared\n');
      assert.equal((await aq('jobs', ...asks(other.api))).stdout, 'shared  [queued, epoch 0]\n');
      await one.process.kill('SIGKILL');
      assert.equal((await aq('jobs', ...asks(other.api))).stdout, 'shared  [queued, epoch 0]\n');
    });

    it('says in words that it cannot be reached, and not with which password', async () => {
      world.env['AQ_COORDINATOR_DATABASE'] = 'postgres://pat:hunter2@127.0.0.1:1/fleet';
      const refused = await aq('coordinator', '--port', '0');
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /Nothing was/);
      assert.ok(!refused.stderr.includes('hunter2'), refused.stderr);
    });
  });

  it('answers in JSON', async () => {
    await start('--lease-sec', '60');
    const [job] = JSON.parse((await aq('--json', 'submit', jobFile(), '--id', 'one')).stdout) as {
      id: string;
    }[];
    assert.equal(job?.id, 'one');
    const { jobs } = JSON.parse((await aq('--json', 'jobs')).stdout) as { jobs: { id: string }[] };
    assert.deepEqual(
      jobs.map(({ id }) => id),
      ['one'],
    );
    const why = JSON.parse((await aq('--json', 'why', 'one', '--factory', 'nobody')).stdout) as object;
    assert.ok('code' in why);
  });
});
