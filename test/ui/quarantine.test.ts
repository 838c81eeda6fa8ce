/** A result that came too late, settled in the editor: a job goes stale against our own coordinator with two factories. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { CuttableProxy } from '../../scripts/lib/cuttable-proxy.ts';
import { enrol, enrolmentTokenFor } from '../../src/fleet/enrol.ts';
import { ROOT } from '../vscode/packages.ts';
import { makePlace, type Place, until } from './support.ts';
import { keepPicture, openVsCode, type VsCode } from './vscode.ts';

describe('the quarantine in the packaged extension', () => {
  let place: Place;
  let code: VsCode;
  let elsewhere: string;
  let coordinator: ChildProcess;
  let api: string;
  let network: CuttableProxy;

  before(async () => {
    place = await makePlace();
    elsewhere = await mkdtemp(path.join(os.tmpdir(), 'aq-ui-other-'));
    coordinator = run(['coordinator', '--port', '0', '--lease-sec', '4'], {});
    api = await new Promise<string>((resolve) => {
      let said = '';
      coordinator.stdout?.on('data', (chunk: Buffer) => {
        said += String(chunk);
        const [, address] = /^listening on (\S+)$/m.exec(said) ?? [];
        if (address !== undefined) resolve(address);
      });
    });
    network = new CuttableProxy(Number(new URL(api).port));
    await network.mend();
    code = await openVsCode({
      home: place.home,
      folder: place.repository,
      settings: {
        'agentQueue.fleet.factoryId': 'ada-laptop',
        'agentQueue.fleet.allowEngines': ['shell'],
        'agentQueue.fleet.allowRoots': [place.repository],
      },
    });
    await code.workbench.command('Agent Queue: Focus on Quarantine View');
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await keepPicture(code, this.currentTest.fullTitle());
  });

  after(async () => {
    await code.close();
    const ended = once(coordinator, 'close');
    coordinator.kill('SIGTERM');
    await ended;
    await network.cut();
    await place[Symbol.asyncDispose]();
    await rm(elsewhere, { recursive: true, force: true, maxRetries: 5 });
  });

  const row = (wanted: RegExp) => code.workbench.view('Quarantine').row(wanted);

  async function pictures(of: string): Promise<void> {
    for (const theme of ['light', 'dark'] as const) {
      await code.workbench.setTheme(theme);
      await code.workbench.screenshot(`quarantine-${of}-${theme}`);
    }
  }

  function run(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    return spawn(process.execPath, [path.join(ROOT, 'dist/cli.js'), '--home', elsewhere, ...args], {
      env: { PATH: process.env['PATH'], HOME: elsewhere, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  }

  async function tokenFor(factoryId: string): Promise<string> {
    const adminToken = (await readFile(path.join(elsewhere, 'coordinator/admin.token'), 'utf8')).trim();
    const enrolmentToken = await enrolmentTokenFor({ api, adminToken, factoryId });
    return factoryId === 'ada-laptop' ? enrolmentToken : enrol({ api, factoryId, enrolmentToken });
  }

  /** What the coordinator says to its operator. */
  async function asked(at: string, body?: object): Promise<Record<string, unknown>> {
    const adminToken = (await readFile(path.join(elsewhere, 'coordinator/admin.token'), 'utf8')).trim();
    const answer = await fetch(`${api}${at}`, {
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    });
    const said = (await answer.json()) as Record<string, unknown>;
    assert.ok(answer.ok, JSON.stringify(said));
    return said;
  }

  async function submit(id: string, script: string): Promise<void> {
    const bodyMd = `---\nengine: shell\ncwd: ${place.repository}\n---\n# Teach ${id} manners\n\n\`\`\`sh\n${script}\n\`\`\`\n`;
    await asked('/fleet/jobs', { id, bodyMd });
  }

  /** This laptop is cut off with the job at work; another one does it meanwhile, and this one comes back too late. */
  async function goesStale(id: string): Promise<void> {
    const gate = path.join(elsewhere, `${id}.go`);
    const mine = `if [ "$HOME" != "${elsewhere}" ]; then until [ -e "${gate}" ]; do sleep 0.1; done; echo ours > greeting.txt; echo more > ${id}.txt; else echo theirs > greeting.txt; fi`;
    await submit(id, mine);
    await place.reaches(`${id}-e1`, 'building');
    await network.cut();
    const other = run(['run'], {
      AQ_FLEET: '1',
      AQ_FLEET_API: api,
      AQ_FLEET_TOKEN: await tokenFor('mac-studio'),
      AQ_FACTORY_ID: 'mac-studio',
      AQ_FLEET_ALLOW_ENGINES: 'shell',
      AQ_FLEET_ALLOW_ROOTS: place.repository,
    });
    try {
      await until('the other has done it', () => place.exists(path.join(elsewhere, 'review', `${id}-e2.md`)));
      execFileSync('touch', [gate]);
      await place.reaches(`${id}-e1`, 'review');
      await network.mend();
      await place.reaches(`${id}-e1`, 'quarantine');
    } finally {
      const ended = once(other, 'close');
      other.kill('SIGTERM');
      await ended;
    }
  }

  it('is empty at first, and says what it is for', async () => {
    await code.workbench.page.locator('.pane', { hasText: 'No result has lost its lease' }).first().waitFor();
    await code.workbench.setTheme('dark');
    await code.workbench.screenshot('quarantine-empty-dark');
    const { workbench } = code;
    await workbench.command('Fleet: Join…');
    const token = await tokenFor('ada-laptop');
    for (const [n, given] of [`http://127.0.0.1:${network.port}/api`, token].entries()) {
      await workbench.page.locator('.quick-input-title', { hasText: `(${n + 1}/2)` }).waitFor();
      await workbench.answer(given);
      await workbench.press('Enter');
    }
    await workbench.statusItem(/ada-laptop has joined/).waitFor();
  });

  it('shows a result that came too late, with why and who has it, and its files', async () => {
    await goesStale('first-41');
    await row(/Teach first-41 manners.*mac-studio: review · epoch 1 → 2/).waitFor();
    await pictures('view');
  });

  it('is compared and adopted by keyboard only: a new job in review, and nothing under the old epoch', async () => {
    const { workbench } = code;
    const started = Date.now();
    let keys = 0;
    const press = async (...all: string[]) => {
      keys += all.length;
      await workbench.press(...all);
    };
    await workbench.command('Quarantine: Compare');
    await workbench.option('Teach first-41 manners').waitFor();
    await press('Enter');
    await workbench.tab(/Touches the same lines as that of mac-studio/).waitFor();
    await workbench.toast(/Touches the same lines/).element.waitFor();
    await pictures('compare');
    await workbench.command('View: Close Editor');
    await workbench.command('Quarantine: Adopt…');
    await workbench.option('Teach first-41 manners').waitFor();
    await press('Enter');
    await workbench.page.locator('.quick-input-title', { hasText: 'Adopt' }).waitFor();
    await pictures('adopt');
    await press('Enter');
    await workbench.statusItem(/in the fleet it is first-41-adopted-\w+, under epoch 1/).waitFor();
    await workbench
      .view('Inbox')
      .row(/In Review/)
      .waitFor();
    await until('the adopted job waits for review', () =>
      place.list('review').some((name) => name.includes('first-41')),
    );
    await code.workbench.page.locator('.pane', { hasText: 'No result has lost its lease' }).first().waitFor();
    console.log(
      `      settled in ${Math.round((Date.now() - started) / 1000)} s, ${keys} keys beside two palette commands`,
    );
    const [, jobId = ''] =
      place
        .list('review')
        .map((name) => /^(first-41-adopted-\w+)-e1\.md$/.exec(name))
        .find((match) => match !== null) ?? [];
    const job = await asked(`/fleet/jobs/${jobId}`);
    assert.deepEqual([job['stage'], job['leaseEpoch'], job['holder']], ['review', 1, 'ada-laptop']);
  });

  it('another is discarded by keyboard only, and restored', async () => {
    const { workbench } = code;
    await goesStale('second-42');
    await row(/Teach second-42 manners/).waitFor();
    await workbench.command('Quarantine: Discard…');
    await workbench.option('Teach second-42 manners').waitFor();
    await workbench.press('Enter');
    await workbench.dialog(/Discard “Teach second-42 manners”/).element.waitFor();
    await workbench.press('Enter');
    await workbench.page.locator('.pane', { hasText: 'No result has lost its lease' }).first().waitFor();
    await workbench.command('Quarantine: Restore');
    await workbench.option('Teach second-42 manners').waitFor();
    await workbench.press('Enter');
    await row(/Teach second-42 manners/).waitFor();
  });

  it('is adopted in a second window too, which is in no fleet, with the coordinator gone: then of this laptop alone', async () => {
    await network.cut();
    const second = await openVsCode({ home: place.home, folder: place.repository });
    try {
      const { workbench } = second;
      await workbench.command('Agent Queue: Focus on Quarantine View');
      await workbench
        .view('Quarantine')
        .row(/Teach second-42 manners/)
        .waitFor();
      await workbench.command('Quarantine: Adopt…');
      await workbench.option('Teach second-42 manners').waitFor();
      await workbench.press('Enter');
      await workbench.page.locator('.quick-input-title', { hasText: 'Adopt' }).waitFor();
      await workbench.press('Enter');
      await workbench.statusItem(/second-42, in review\. It is a job of this laptop alone/).waitFor();
      assert.ok(place.list('review').includes('second-42.md'));
      // The window that runs the jobs shows the same.
      await code.workbench.page
        .locator('.pane', { hasText: 'No result has lost its lease' })
        .first()
        .waitFor();
    } finally {
      await second.close();
    }
  });
});
