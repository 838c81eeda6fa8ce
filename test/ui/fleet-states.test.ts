/** Every state that the Fleet view can be in, each with a picture in both themes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { markedProcesses } from '../../src/platform/processes/table.ts';
import { StubCoordinator } from '../fleet/support/stub-coordinator.ts';
import { makePlace, type Place, until } from './support.ts';
import { keepPicture, openVsCode, type VsCode } from './vscode.ts';

describe('the states of a fleet', () => {
  let stub: StubCoordinator;
  let place: Place;
  let code: VsCode;

  before(async () => {
    stub = await StubCoordinator.start();
    place = await makePlace();
    code = await openVsCode({
      home: place.home,
      folder: place.repository,
      settings: {
        'agentQueue.fleet.enabled': true,
        'agentQueue.fleet.api': stub.api,
        'agentQueue.fleet.factoryId': 'ada-laptop',
        'agentQueue.fleet.allowEngines': ['shell'],
        'agentQueue.fleet.allowRoots': [place.repository],
      },
    });
    await code.workbench.container('Agent Queue');
    await code.workbench.command('Agent Queue: Focus on Fleet View');
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await keepPicture(code, this.currentTest.fullTitle());
  });

  after(async () => {
    await code.close();
    await place[Symbol.asyncDispose]();
    await stub.down();
  });

  const row = (text: RegExp) => code.workbench.view('Fleet').row(text);

  async function picture(name: string): Promise<void> {
    for (const theme of ['dark', 'light'] as const) {
      await code.workbench.setTheme(theme);
      await code.workbench.screenshot(`fleet-state-${name}-${theme}`);
    }
  }

  async function claim(id: string, script: string): Promise<void> {
    stub.offer(
      id,
      `---\nengine: shell\ncwd: ${place.repository}\n---\n# Teach the greeter manners\n\n\`\`\`sh\n${script}\n\`\`\`\n`,
    );
    await code.workbench.command('Fleet: Claim Next Job');
    await row(new RegExp(id)).waitFor();
  }

  it('nothing asked yet: the runner is off', async () => {
    await code.workbench.command('Agent Queue: Stop Runner');
    await code.workbench.page
      .locator('.pane', { hasText: 'from this inbox, and is stopped' })
      .first()
      .waitFor();
    await code.workbench.reload();
    await code.workbench.command('Agent Queue: Focus on Fleet View');
    await row(/not asked yet/).waitFor();
    await picture('new');
    await code.workbench.command('Agent Queue: Start Runner');
    await row(/Coordinator.*reachable/).waitFor();
    await picture('on');
  });

  it('a token that is turned down', async () => {
    stub.script = () => ({ status: 401, body: { code: 'unauthorized' } });
    await code.workbench.command('Fleet: Send Heartbeat');
    await row(/turns the token down/).waitFor();
    await code.workbench.statusItem(/turns the token down/).waitFor();
    await code.workbench.toast(/turns the token down\. Nothing is claimed/).element.waitFor();
    await picture('unauthorised');
    stub.script = () => undefined;
    await code.workbench.command('Fleet: Send Heartbeat');
    await row(/Coordinator.*reachable/).waitFor();
  });

  it('a lease that is uncertain since the laptop slept, then held again', async function () {
    if (process.platform !== 'linux') this.skip();
    stub.leaseTtlSec = 24;
    await claim('asleep-21', 'echo "Good day" > greeting.txt');
    await place.reaches('asleep-21-e1', 'review');
    await until('review is told', () => stub.jobs.get('asleep-21')?.stage === 'review');
    await stub.down();
    // The extension host stands still for a while, as it does while a laptop sleeps.
    const host = await extensionHost(place.home);
    process.kill(host, 'SIGSTOP');
    await sleep(6000);
    process.kill(host, 'SIGCONT');
    await row(/uncertain since this laptop slept/).waitFor();
    await row(/unreachable/).waitFor();
    await picture('uncertain');
    await row(/asleep-21.*lapsed/).waitFor({ timeout: 60_000 });
    await picture('lapsed');
    await stub.up();
    await row(/\d:\d\d left · review/).waitFor({ timeout: 20_000 });
    stub.leaseTtlSec = 900;
  });

  it('an epoch that turned out to be stale stays in sight', async () => {
    await claim('fenced-22', 'echo "Good day" > greeting.txt');
    await place.reaches('fenced-22-e1', 'review');
    await until('review is told', () => stub.jobs.get('fenced-22')?.stage === 'review');
    stub.take('fenced-22');
    await stub.down();
    await code.workbench.command('Fleet: Send Heartbeat');
    await row(/unreachable/).waitFor();
    await stub.up();
    await row(/fenced-22.*fenced · epoch 1/).waitFor({ timeout: 20_000 });
    await picture('fenced');
    await code.workbench.command('Fleet: Status');
    await code.workbench.page.locator('.view-line', { hasText: 'Recent heartbeats' }).first().waitFor();
    await picture('page');
    await code.workbench.command('View: Close Editor');
  });

  it('leaving: with a lease held, fleet mode ends when that is settled', async () => {
    const { workbench } = code;
    await workbench.command('Fleet: Toggle Fleet Mode');
    const question = workbench.dialog(/holds a claimed job/);
    await question.element.waitFor();
    await picture('toggle');
    await question.button('Keep Until Done');
    await row(/ada-laptop · leaves when its leases are settled/).waitFor();
    await picture('leaving');
    await workbench.command('Fleet: Toggle Fleet Mode');
    await workbench.dialog(/Fleet mode ends when 1/).button('Stay in the Fleet');
    await row(/ada-laptop$/).waitFor();
    await workbench.command('Fleet: Toggle Fleet Mode');
    await workbench.dialog(/holds a claimed job/).button('Release Them');
    await workbench.page.locator('.pane', { hasText: 'Fleet mode is off' }).first().waitFor();
    assert.ok(stub.asked().includes('POST jobs/asleep-21/lease/release'));
    await place.reaches('asleep-21-e1', 'failed');
  });
});

/** The pid of the window's extension host: it has the home in its environment. */
async function extensionHost(home: string): Promise<number> {
  for (const { pid } of await markedProcesses('AQ_HOME', home)) {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    if (command.includes('--type=extensionHost')) return pid;
  }
  throw new Error('The extension host was not found.');
}
