import assert from 'node:assert/strict';
import { useVsCode } from './vscode.ts';

describe('the packaged extension', () => {
  const code = useVsCode();

  it('has its place in the activity bar, with the Inbox in it', async () => {
    const { workbench } = code();
    await workbench.container('Agent Queue');
    await workbench.page.locator('.part.sidebar', { hasText: /inbox/i }).waitFor();
  });

  it('answers a command of the palette', async () => {
    const { workbench } = code();
    await workbench.command('Agent Queue: Show Output');
    await workbench.page.locator('.part.panel', { hasText: /output/i }).waitFor();
  });

  it('looks at home in a dark and in a light window', async () => {
    const { workbench } = code();
    const backgroundOf = () =>
      workbench.page
        .locator('.part.sidebar')
        .evaluate((element) => String(Reflect.get(globalThis, 'getComputedStyle')(element).backgroundColor));
    await workbench.setTheme('dark');
    const dark = await backgroundOf();
    await workbench.screenshot('inbox-empty-dark');
    await workbench.setTheme('light');
    await workbench.screenshot('inbox-empty-light');
    assert.notEqual(await backgroundOf(), dark);
  });
});
