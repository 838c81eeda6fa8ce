import assert from 'node:assert/strict';
import { makePlace, type Place } from './support.ts';
import { keepPicture, openVsCode, type VsCode } from './vscode.ts';

describe('a job in the packaged extension', () => {
  let place: Place;
  let code: VsCode;

  before(async () => {
    place = await makePlace();
    code = await openVsCode({ home: place.home, folder: place.repository });
    await code.workbench.container('Agent Queue');
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await keepPicture(code, this.currentTest.fullTitle());
  });

  after(async () => {
    await code.close();
    await place[Symbol.asyncDispose]();
  });

  it('is reviewed as a diff, approved and shipped by its row', async () => {
    const { workbench } = code;
    const inbox = workbench.view('Inbox');
    await place.drop('greet', 'echo "Hello, world" > greeting.txt', 'verify: [grep -q world greeting.txt]\n');
    await inbox.row('In Review').waitFor();
    await inbox.click('The job greet');
    await workbench.page.locator('.view-line', { hasText: 'world' }).first().waitFor();
    await inbox.action('The job greet', 'Approve');
    await inbox.row('Ready to Ship').waitFor();
    await inbox.action('The job greet', 'Ship');
    await place.reaches('greet', 'shipped');
    assert.equal(place.commits()[0], 'The job greet');
  });

  it('shows its live log, and is cancelled after a question', async () => {
    const { workbench } = code;
    const inbox = workbench.view('Inbox');
    await place.drop('long', 'echo begun; sleep 60; echo never');
    await workbench.statusItem(/1 running/).waitFor();
    await inbox.row('Running').waitFor();
    await inbox.click('The job long');
    await workbench.page.locator('.view-line', { hasText: 'begun' }).first().waitFor();
    await inbox.action('The job long', 'Cancel Job');
    await workbench.dialog('The job long').button('Cancel Job');
    await place.reaches('long', 'failed');
    assert.ok(!place.log('long').includes('never'));
  });

  it('is sent back with a comment by the palette, and by the keyboard alone', async () => {
    const { workbench } = code;
    await place.drop('again', 'date +%N > stamp.txt');
    await place.reaches('again', 'review');
    await workbench.view('Inbox').row('In Review').waitFor();
    await workbench.press('F1');
    await workbench.answer('>Agent Queue: Send Back…');
    await workbench.option('Agent Queue: Send Back…').waitFor();
    await workbench.press('Enter');
    await workbench.option('The job again').waitFor();
    await workbench.press('Enter');
    await workbench.answer('Once more, please');
    await workbench.press('Enter');
    await place.runsAgain('again');
  });
});
