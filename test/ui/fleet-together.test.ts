/** Several runners on one home in a fleet: windows and `aq` are one factory, and each does what the other would. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { StubCoordinator } from '../fleet/support/stub-coordinator.ts';
import { ROOT } from '../vscode/packages.ts';
import { makePlace, type Place, until } from './support.ts';
import { keepPicture, openVsCode, type VsCode } from './vscode.ts';

describe('a fleet and several runners', () => {
  let stub: StubCoordinator;
  let place: Place;
  const windows: VsCode[] = [];

  before(async () => {
    stub = await StubCoordinator.start();
    place = await makePlace();
  });

  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const [n, code] of windows.entries())
      await keepPicture(code, `${this.currentTest.fullTitle()} ${n}`);
  });

  after(async () => {
    for (const code of windows) await code.close();
    await place[Symbol.asyncDispose]();
    await stub.down();
  });

  async function open(home: string, coordinator: StubCoordinator): Promise<VsCode> {
    const code = await openVsCode({
      home,
      folder: place.repository,
      settings: {
        'agentQueue.fleet.enabled': true,
        'agentQueue.fleet.api': coordinator.api,
        'agentQueue.fleet.factoryId': 'ada-laptop',
        'agentQueue.fleet.allowEngines': ['shell'],
        'agentQueue.fleet.allowRoots': [place.repository],
        'agentQueue.fleet.allowCommands': true,
      },
    });
    windows.push(code);
    await code.workbench.container('Agent Queue');
    await code.workbench.command('Agent Queue: Focus on Fleet View');
    return code;
  }

  async function aq(home: string, coordinator: StubCoordinator, ...args: string[]): Promise<void> {
    const child = spawn(process.execPath, [path.join(ROOT, 'dist/cli.js'), '--home', home, ...args], {
      env: {
        PATH: process.env['PATH'],
        HOME: path.dirname(home),
        AQ_FLEET: '1',
        AQ_FLEET_API: coordinator.api,
        AQ_FACTORY_ID: 'ada-laptop',
        AQ_FLEET_ALLOW_ENGINES: 'shell',
        AQ_FLEET_ALLOW_ROOTS: place.repository,
        AQ_FLEET_ALLOW_COMMANDS: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [said] = await Promise.all([text(child.stderr), once(child, 'close')]);
    assert.equal(child.exitCode, 0, said);
  }

  const job = (name: string) =>
    `---\nengine: shell\ncwd: ${place.repository}\nreview: skip\nship: none\n---\n# ${name}\n\n\`\`\`sh\necho ran >> "${place.home}/../${name}.ran"; echo ${name} > ${name}.txt; sleep 0.3\n\`\`\`\n`;

  it('two windows and aq on one home claim each job once, and ship it under its one epoch', async () => {
    await open(place.home, stub);
    await open(place.home, stub);
    const ids = Array.from({ length: 6 }, (_, n) => `shared-${n}`);
    for (const id of ids) stub.offer(id, job(id));
    await windows[0]?.workbench.command('Fleet: Claim Next Job');
    await aq(place.home, stub, 'run', '--once');
    await until('all are shipped', () => ids.every((id) => stub.jobs.get(id)?.stage === 'shipped'), 60_000);
    for (const id of ids) {
      await place.reaches(`${id}-e1`, 'shipped');
      assert.equal(stub.jobs.get(id)?.epoch, 1);
      assert.deepEqual(stub.reported(id), ['building 1', 'testing 1', 'shipped 1']);
      assert.equal(place.read(`../${id}.ran`), 'ran\n');
    }
    const factories = new Set(stub.requests.map(({ body }) => body?.factoryId).filter(Boolean));
    assert.deepEqual([...factories], ['ada-laptop']);
  });

  it('the second window goes on with what the first had claimed, when that is closed', async () => {
    stub.offer(
      'handed-over',
      job('handed-over').replace('sleep 0.3', `while [ ! -e "${place.home}/../gate" ]; do sleep 0.1; done`),
    );
    // The window that was there first is the runner; the other shows the same.
    const [first, second] = windows as [VsCode, VsCode];
    await first.workbench.command('Fleet: Claim Next Job');
    await place.reaches('handed-over-e1', 'building');
    for (const { workbench } of windows)
      await workbench
        .view('Fleet')
        .row(/handed-over.*\d+:\d\d left/)
        .waitFor();
    // What is asked in the other window is passed on to it.
    await second.workbench.command('Fleet: Drain');
    await second.workbench.statusItem(/Draining: nothing more is claimed/).waitFor();
    await until('it drains', () => stub.requests.some(({ body }) => body?.health === 'draining'));
    await second.workbench.command('Fleet: Resume');
    await until(
      'it claims again',
      () => stub.requests.findLast(({ body }) => body?.health)?.body.health === 'ok',
    );
    const runner = place.read('runner.json');
    await first.close();
    windows.shift();
    await until('the second is the runner', () => place.read('runner.json') !== runner);
    place.write('../gate', '');
    await until('it is shipped', () => stub.jobs.get('handed-over')?.stage === 'shipped', 30_000);
    assert.equal(stub.jobs.get('handed-over')?.epoch, 1);
    assert.equal(place.read('../handed-over.ran'), 'ran\n');
  });

  it('aq tells the coordinator of a job what the extension tells it', async () => {
    const tell = async (run: (home: string, coordinator: StubCoordinator) => Promise<void>, home: string) => {
      const coordinator = await StubCoordinator.start();
      coordinator.offer('same-1', job('same-1'));
      try {
        await run(home, coordinator);
        await until('shipped', () => coordinator.jobs.get('same-1')?.stage === 'shipped');
        return transcript(coordinator);
      } finally {
        await coordinator.down();
      }
    };
    const byAq = await tell(
      (home, coordinator) => aq(home, coordinator, 'run', '--once'),
      place.sibling('aq'),
    );
    const byWindow = await tell(async (home, coordinator) => {
      const code = await open(home, coordinator);
      await code.workbench.command('Agent Queue: Start Runner');
    }, place.sibling('window'));
    assert.deepEqual(byWindow, byAq);
    assert.deepEqual(
      byAq.map(({ asks }) => asks),
      [
        'POST /api/fleet/factories/heartbeat',
        'POST /api/fleet/claim',
        'PATCH /api/fleet/jobs/same-1',
        'PATCH /api/fleet/jobs/same-1',
        'PATCH /api/fleet/jobs/same-1',
      ],
    );
  });
});

/** What a coordinator hears of one job, without what is drawn by lot or a time. */
function transcript(stub: StubCoordinator) {
  const heard = stub.requests.map(({ method, path: to, headers, body }) => ({
    asks: `${method} ${to}`,
    headers: Object.keys(headers).sort(),
    body: { ...body, ...(body?.checkpoint !== undefined && { checkpoint: Object.keys(body.checkpoint) }) },
  }));
  const first = heard.findIndex(({ asks }) => asks.endsWith('/heartbeat'));
  const claim = heard.findIndex(({ asks }) => asks.endsWith('/claim'));
  return [heard[first], heard[claim], ...heard.filter(({ asks }) => asks.startsWith('PATCH'))].filter(
    (each) => each !== undefined,
  );
}
