import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { SECOND } from '../../src/platform/clock.ts';
import { makePlace, type Place, until } from './support.ts';
import { openVsCode, type VsCode } from './vscode.ts';

/** Prints a number each 50 ms, and leaves a mark for every time that it was started. */
const LINES = 200;
const COUNTER = [
  'echo started >> started.txt',
  `i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo "line $i"; sleep 0.05; done`,
].join('\n');

describe('a run outlives the editor', () => {
  let place: Place;
  let code: VsCode;

  beforeEach(async () => {
    place = await makePlace();
    code = await openVsCode({ home: place.home, folder: place.repository });
    await code.workbench.container('Agent Queue');
  });

  afterEach(async () => {
    await code.close();
    await place[Symbol.asyncDispose]();
  });

  it('when the window is reloaded', async () => {
    await place.drop('count', COUNTER);
    await until('the engine prints', () => place.log('count').includes('line 20\n'));
    await code.workbench.reload();
    await isWhole(place);
  });

  it('when the extension host is killed', async () => {
    await place.drop('count', COUNTER);
    await until('the engine prints', () => place.log('count').includes('line 20\n'));
    const [host, ...others] = extensionHosts(place.home);
    assert.ok(host !== undefined && others.length === 0, 'there is exactly one extension host');
    process.kill(host, 'SIGKILL');
    await until('the old host is gone', () => !extensionHosts(place.home).includes(host), 10 * SECOND);
    await code.workbench.reload();
    await isWhole(place);
  });
});

/** The job came into review, the engine was started once, and its log has every line once and in order. */
async function isWhole(place: Place): Promise<void> {
  await place.reaches('count', 'review');
  const numbers = [...place.log('count').matchAll(/^line (\d+)$/gm)].map((match) => Number(match[1]));
  assert.deepEqual(
    numbers,
    Array.from({ length: LINES }, (_, n) => n + 1),
  );
  const worktree = JSON.parse(readFileSync(`${place.home}/runs/count/state.json`, 'utf8')) as {
    place: { worktree: string };
  };
  assert.equal(readFileSync(`${worktree.place.worktree}/started.txt`, 'utf8'), 'started\n');
}

/** The extension hosts of this test's VS Code, known by the home in their environment. */
function extensionHosts(home: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        return command.includes('--type=extensionHost') && environment.includes(`AQ_HOME=${home}`);
      } catch {
        return false;
      }
    })
    .map(Number);
}
