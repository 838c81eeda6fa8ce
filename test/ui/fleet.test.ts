import assert from 'node:assert/strict';
import { StubCoordinator } from '../fleet/support/stub-coordinator.ts';
import { makePlace, type Place, until } from './support.ts';
import { keepPicture, openVsCode, type VsCode } from './vscode.ts';

const TOKEN = 'fleet-token-sentinel-4711';

describe('a fleet in the packaged extension', () => {
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
        'agentQueue.fleet.api': stub.api,
        'agentQueue.fleet.factoryId': 'ada-laptop',
        'agentQueue.fleet.allowEngines': ['shell'],
        'agentQueue.fleet.allowRoots': [place.repository],
      },
    });
    await code.workbench.container('Agent Queue');
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await keepPicture(code, this.currentTest.fullTitle());
  });

  after(async () => {
    await code.close();
    await place[Symbol.asyncDispose]();
    await stub.down();
  });

  const job = (script: string) =>
    `---\nengine: shell\ncwd: ${place.repository}\n---\n# Teach the greeter manners\n\n\`\`\`sh\n${script}\n\`\`\`\n`;

  it('is off, says so with one button, and asks nobody', async () => {
    const { workbench } = code;
    await workbench.command('Agent Queue: Focus on Fleet View');
    await workbench.page.locator('.pane', { hasText: 'Fleet mode is off' }).first().waitFor();
    await workbench.setTheme('dark');
    await workbench.screenshot('fleet-off-dark');
    assert.deepEqual(stub.requests, []);
  });

  it('takes a token into the secret storage', async () => {
    const { workbench } = code;
    await workbench.command('Fleet: Set Token…');
    await workbench.answer(TOKEN);
    await workbench.press('Enter');
    await workbench.statusItem(/The token for .* is kept/).waitFor();
  });

  it('is joined by its button without a reload, claims a job, and counts its lease down', async () => {
    const { workbench } = code;
    stub.offer('manners-12', job('echo "Good day" > greeting.txt; sleep 1'));
    await workbench.page
      .locator('.pane', { hasText: 'Fleet mode is off' })
      .getByRole('button', { name: 'Toggle Fleet Mode' })
      .click();
    const fleet = workbench.view('Fleet');
    await fleet.row(/manners-12/).waitFor();
    await place.reaches('manners-12-e1', 'review');
    await fleet.row(/1[45]:\d\d left · review · epoch 1/).waitFor();
    await fleet.row(/Coordinator.*reachable/).waitFor();
    await fleet.row(/ada-laptop/).waitFor();
    await workbench.statusItem(/Fleet on/).waitFor();
    for (const theme of ['dark', 'light'] as const) {
      await workbench.setTheme(theme);
      await workbench.screenshot(`fleet-${theme}`);
    }
    assert.equal(stub.requests[0]?.headers.authorization, `Bearer ${TOKEN}`);
  });

  it('has a status page that can be copied, with no secret in it', async () => {
    const { workbench } = code;
    await workbench.command('Fleet: Status');
    await workbench.page.locator('.view-line', { hasText: 'ada-laptop' }).first().waitFor();
    await workbench.page.locator('.view-line', { hasText: 'job manners-12, epoch 1' }).first().waitFor();
    await workbench.screenshot('fleet-status');
    assert.doesNotMatch(
      await workbench.page.locator('.editor-instance').first().innerText(),
      new RegExp(TOKEN),
    );
    await workbench.command('Fleet: Send Heartbeat');
    await until(
      'a heartbeat',
      () => stub.requests.filter(({ path }) => path.endsWith('/heartbeat')).length >= 3,
    );
  });

  it('drains and resumes', async () => {
    const { workbench } = code;
    await workbench.command('Fleet: Drain');
    await workbench
      .view('Fleet')
      .row(/ada-laptop · draining/)
      .waitFor();
    await until('draining is told', () => stub.requests.some(({ body }) => body?.health === 'draining'));
    await workbench.command('Fleet: Resume');
    await workbench
      .view('Fleet')
      .row(/ada-laptop$/)
      .waitFor();
  });

  it('shows what came too late in quarantine, and that nobody answers', async () => {
    const { workbench } = code;
    const before = place.commits().length;
    stub.take('manners-12');
    await stub.down();
    await workbench.command('Fleet: Send Heartbeat');
    await workbench
      .view('Fleet')
      .row(/unreachable/)
      .waitFor();
    await workbench.statusItem(/Coordinator unreachable/).waitFor();
    await stub.up();
    await place.reaches('manners-12-e1', 'quarantine');
    await workbench.view('Inbox').row('Quarantine').waitFor();
    await workbench.screenshot('fleet-quarantine');
    assert.equal(place.commits().length, before);
  });

  it('claims at a person’s word, and gives a lease back after a question', async () => {
    const { workbench } = code;
    stub.offer('later-13', job('sleep 60'));
    await workbench.command('Fleet: Claim Next Job');
    await workbench
      .view('Fleet')
      .row(/later-13/)
      .waitFor();
    await workbench.command('Fleet: Release Lease…');
    await workbench.option('later-13').click();
    await workbench.dialog(/Give the lease of later-13-e1 back/).button('Release');
    await place.reaches('later-13-e1', 'failed');
    await until('it is given back', () => stub.asked().includes('POST jobs/later-13/lease/release'));
  });

  it('is left by the palette', async () => {
    const { workbench } = code;
    await workbench.command('Fleet: Toggle Fleet Mode');
    await workbench.page.locator('.pane', { hasText: 'Fleet mode is off' }).first().waitFor();
    const asked = stub.requests.length;
    await new Promise((resolve) => {
      setTimeout(resolve, 1000);
    });
    assert.equal(stub.requests.length, asked);
  });
});
