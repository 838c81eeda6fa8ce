/** A day's ceiling that is used up, as a person sees it, and their word to go on. */
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makePlace, type Place } from './support.ts';
import { keepPicture, openVsCode, type VsCode } from './vscode.ts';

describe('a day’s ceiling in the packaged extension', () => {
  let place: Place;
  let code: VsCode;

  before(async () => {
    place = await makePlace();
    const engine = path.join(place.repository, '..', 'paid-engine');
    const result = { type: 'result', text: 'Done.', cost: 2.5, in: 81_250, out: 4310 };
    writeFileSync(engine, `#!/bin/sh\necho more >> greeting.txt\necho '${JSON.stringify(result)}'\n`);
    chmodSync(engine, 0o755);
    const when = { type: 'result' };
    const told = (field: string) => [{ path: field, when }];
    code = await openVsCode({
      home: place.home,
      folder: place.repository,
      settings: {
        'agentQueue.runner.maxParallel': 1,
        'agentQueue.budget.perDayUsd': 5,
        'agentQueue.engines': {
          paid: {
            label: 'Paid',
            executable: engine,
            args: [],
            events: {
              final: [when],
              text: told('text'),
              costUsd: told('cost'),
              inputTokens: told('in'),
              outputTokens: told('out'),
            },
          },
        },
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
  });

  it('holds the next job, says so where it waits, and lets it go at a person’s word', async () => {
    const { workbench } = code;
    const inbox = workbench.view('Inbox');
    const drop = (id: string) => place.drop(id, ':', '', 'paid');
    for (const id of ['imports', 'typos']) {
      await drop(id);
      await place.reaches(id, 'review');
    }
    await drop('tests');
    const notice = workbench.toast('the ceiling of a day is $5.00');
    await notice.element.waitFor();
    await inbox.row(/The job tests.*is held until midnight/).waitFor();
    await workbench.statusItem(/1 queued, held until midnight/).waitFor();
    await workbench.page
      .locator('.message', { hasText: 'Nothing new starts until midnight' })
      .first()
      .waitFor();
    await inbox.row(/The job imports.*1 file in \d+ s · \$2\.50/).waitFor();
    for (const theme of ['light', 'dark'] as const) {
      await workbench.setTheme(theme);
      await workbench.screenshot(`budget-${theme}`);
    }
    await notice.button('Run Anyway Today');
    await place.reaches('tests', 'review');
    await workbench.statusItem(/3 need you/).waitFor();
  });
});
