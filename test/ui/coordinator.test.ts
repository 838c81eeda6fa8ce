/** A coordinator from the palette, and joining one that somebody else runs. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { runningCoordinator } from '../../src/coordinator/place.ts';
import { ROOT } from '../vscode/packages.ts';
import { makePlace, type Place, until } from './support.ts';
import { keepPicture, openVsCode, type VsCode } from './vscode.ts';

describe('a coordinator and the packaged extension', () => {
  let place: Place;
  let code: VsCode;
  let elsewhere: string;
  let other: ChildProcess | undefined;

  before(async () => {
    place = await makePlace();
    elsewhere = await mkdtemp(path.join(os.tmpdir(), 'aq-ui-elsewhere-'));
    code = await openVsCode({
      home: place.home,
      folder: place.repository,
      settings: {
        'agentQueue.fleet.factoryId': 'ada-laptop',
        'agentQueue.fleet.allowEngines': ['shell'],
        'agentQueue.fleet.allowRoots': [place.repository],
      },
    });
    await code.workbench.command('Agent Queue: Focus on Fleet View');
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await keepPicture(code, this.currentTest.fullTitle());
  });

  after(async () => {
    await code.close();
    const running = await runningCoordinator(place.home);
    if (running !== undefined) process.kill(running.pid, 'SIGTERM');
    other?.kill('SIGTERM');
    await place[Symbol.asyncDispose]();
    await rm(elsewhere, { recursive: true, force: true, maxRetries: 5 });
  });

  const row = (wanted: RegExp) => code.workbench.view('Fleet').row(wanted);

  function start(home: string, ...args: string[]): ChildProcess {
    return spawn(process.execPath, [path.join(ROOT, 'dist/cli.js'), '--home', home, ...args], {
      env: { PATH: process.env['PATH'], HOME: elsewhere },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  async function aq(home: string, input: string, ...args: string[]): Promise<string> {
    const child = start(home, ...args);
    child.stdin?.end(input);
    const [said, wrong] = await Promise.all([
      text(child.stdout as NodeJS.ReadableStream),
      text(child.stderr as NodeJS.ReadableStream),
      once(child, 'close'),
    ]);
    assert.equal(child.exitCode, 0, wrong);
    return said.trim();
  }

  const job = `---\nengine: shell\ncwd: CWD\n---\n# Teach the greeter manners\n\n\`\`\`sh\necho "Good day" > greeting.txt\n\`\`\`\n`;

  it('is started by the palette, and this laptop has joined it under a token of its own', async () => {
    const { workbench } = code;
    await workbench.command('Fleet: Start Local Coordinator');
    await workbench.statusItem(/this laptop has joined it/).waitFor({ timeout: 30_000 });
    await row(/Coordinator.*reachable/).waitFor({ timeout: 30_000 });
    const running = await runningCoordinator(place.home);
    const admin = place.read('coordinator/admin.token').trim();
    const asked = await fetch(`${running?.api}/fleet/factories`, {
      headers: { authorization: `Bearer ${admin}` },
    });
    const { factories } = (await asked.json()) as { factories: { factoryId: string }[] };
    assert.deepEqual(
      factories.map(({ factoryId }) => factoryId),
      ['ada-laptop'],
    );
    assert.ok(!place.read('config.json').includes(admin), 'a factory keeps no admin token');
  });

  it('gives it what was submitted, tells why a job is not claimed, and outlives a reload of the window', async () => {
    const { workbench } = code;
    const before = await runningCoordinator(place.home);
    const text = job.replace('CWD', place.repository);
    await aq(place.home, text, 'submit', '-', '--id', 'manners-31');
    await aq(place.home, text, 'submit', '-', '--id', 'trains-32', '--requires', 'tool:no-such-tool');
    await row(/manners-31.*review · epoch 1/).waitFor({ timeout: 60_000 });
    await workbench.command('Fleet: Status');
    const why = 'ada-laptop does not offer tool:no-such-tool.';
    await workbench.page.locator('.view-line', { hasText: why }).first().waitFor();
    await workbench.screenshot('coordinator-why');
    await workbench.command('View: Close Editor');
    await workbench.reload();
    await workbench.command('Agent Queue: Focus on Fleet View');
    await row(/manners-31.*review/).waitFor({ timeout: 60_000 });
    assert.deepEqual(await runningCoordinator(place.home), before);
    // This kind of host keeps secrets in memory only: the token went with the window, and a fresh one is got.
    await workbench.command('Fleet: Start Local Coordinator');
    await workbench.statusItem(/this laptop has joined it/).waitFor({ timeout: 30_000 });
    await row(/manners-31\s*1[45]:\d\d left · review · epoch 1/).waitFor({ timeout: 30_000 });
    await row(/Coordinator.*reachable/).waitFor();
    assert.deepEqual(await runningCoordinator(place.home), before, 'one per home');
  });

  it('is stopped by the palette; its jobs are there when it is started again', async () => {
    const { workbench } = code;
    await workbench.command('Fleet: Stop Local Coordinator');
    await workbench.statusItem(/has stopped/).waitFor({ timeout: 30_000 });
    assert.equal(await runningCoordinator(place.home), undefined);
    await row(/unreachable/).waitFor({ timeout: 30_000 });
    await workbench.command('Fleet: Toggle Fleet Mode');
    await workbench.dialog(/holds a claimed job/).button('Release Them');
    // It can't be told that: fleet mode is turned off at a second word.
    await row(/leaves when its leases are settled/).waitFor();
    await workbench.command('Fleet: Toggle Fleet Mode');
    await workbench.dialog(/Fleet mode ends when/).button('Turn Off Now');
    await workbench.page.locator('.pane', { hasText: 'Fleet mode is off' }).first().waitFor();
  });

  async function join(api: string, token: string): Promise<void> {
    const { workbench } = code;
    await workbench.command('Fleet: Join…');
    for (const [n, given] of [api, token].entries()) {
      await workbench.page.locator('.quick-input-title', { hasText: `(${n + 1}/2)` }).waitFor();
      await workbench.answer(given);
      await workbench.press('Enter');
    }
  }

  it('another one is joined with its address and an enrolment token; a used one is refused in words', async () => {
    const { workbench } = code;
    other = start(elsewhere, 'coordinator', '--port', '0');
    const api = await new Promise<string>((resolve) => {
      let said = '';
      other?.stdout?.on('data', (chunk: Buffer) => {
        said += String(chunk);
        const [, address] = /^listening on (\S+)$/m.exec(said) ?? [];
        if (address !== undefined) resolve(address);
      });
    });
    const token = await aq(elsewhere, '', 'coordinator', 'token');
    await join(api, token);
    await workbench.statusItem(/ada-laptop has joined the fleet/).waitFor();
    await row(/Coordinator.*reachable/).waitFor({ timeout: 30_000 });
    await workbench.screenshot('coordinator-joined');

    await join(api, token);
    await workbench.toast(/does not take the token\. This enrolment token has been used/).element.waitFor();
    await row(/Coordinator.*reachable/).waitFor();
  });

  it('a coordinator that cannot be started says why', async () => {
    place.write('coordinator/coordinator.db', 'this is no database, and it is left as it is');
    await code.workbench.command('Fleet: Start Local Coordinator');
    await code.workbench.toast(/The coordinator could not be started/).element.waitFor({ timeout: 30_000 });
    await until('it is left', () =>
      place.read('coordinator/coordinator.db').startsWith('this is no database'),
    );
  });
});
