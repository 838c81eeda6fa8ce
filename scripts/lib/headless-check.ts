/** The demonstration without a screen: waits for the jobs, ships the first by the palette as a person would, takes pictures. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SECOND, systemClock } from '../../src/platform/clock.ts';
import { messageOf } from '../../src/platform/errors.ts';
import { openVsCode } from '../../test/ui/vscode.ts';
import type { Workbench } from '../../test/ui/workbench.ts';
import { commitsOf, type Demo } from './demo.ts';

/** How long the jobs may take to come where they belong, ms. */
const PATIENCE = 90 * SECOND;
const FIRST = 'say-goodbye';
const FIRST_TITLE = 'Teach the greeter to say goodbye';

/** Returns the exit code: 0 when all was as it should be; else it has said what was missing. */
export async function headlessCheck(demo: Demo, pictures: string): Promise<number> {
  await using code = await openVsCode({ home: demo.home, folder: demo.repository });
  const { workbench } = code;
  try {
    await workbench.container('Agent Queue');
    for (const [id, stage] of Object.entries(demo.jobs)) {
      await isIn(demo, id, stage);
      console.log(`${id} is in ${stage}.`);
    }
    await review(workbench, pictures);
    await ship(demo, workbench);
    console.log(`${FIRST} was approved, verified and shipped from the palette; it is on main.`);
    await workbench.screenshot('shipped', pictures);
    console.log(`All is as it should be. Pictures are in ${pictures}`);
    return 0;
  } catch (error) {
    const picture = await workbench.screenshot('failed', pictures);
    console.error(`The check failed: ${messageOf(error)}\nWhat was on the screen is in ${picture}`);
    return 1;
  }
}

async function review(workbench: Workbench, pictures: string): Promise<void> {
  await workbench.view('Inbox').click(FIRST_TITLE);
  await workbench.page.locator('.view-line', { hasText: 'farewell' }).first().waitFor();
  for (const theme of ['light', 'dark'] as const) {
    await workbench.setTheme(theme);
    await workbench.screenshot(`inbox-${theme}`, pictures);
  }
}

async function ship(demo: Demo, workbench: Workbench): Promise<void> {
  await workbench.command('Agent Queue: Approve');
  await workbench.option(FIRST_TITLE).click();
  await until('the first job did not pass its verification', () => stateOf(demo).includes('"candidate"'));
  await workbench.command('Agent Queue: Ship');
  await workbench.option(FIRST_TITLE).click();
  await isIn(demo, FIRST, 'shipped');
  const [newest] = commitsOf(demo);
  if (newest !== FIRST_TITLE) throw new Error(`main ends with “${newest}” instead of “${FIRST_TITLE}”`);
  await workbench.view('Inbox').row('Shipped').waitFor();
}

function stateOf(demo: Demo): string {
  return readFileSync(path.join(demo.home, 'runs', FIRST, 'state.json'), 'utf8');
}

/** Waits until the job's file is in the stage's folder. */
async function isIn(demo: Demo, id: string, stage: string): Promise<void> {
  await until(`${id} did not come into ${stage}`, () => existsSync(path.join(demo.home, stage, `${id}.md`)));
}

async function until(missing: string, holds: () => boolean): Promise<void> {
  const end = systemClock.monotonic() + PATIENCE;
  while (!holds()) {
    if (systemClock.monotonic() > end) throw new Error(`${missing} within ${PATIENCE / SECOND} s`);
    await systemClock.sleep(100);
  }
}
