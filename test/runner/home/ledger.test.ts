import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { DAY } from '../../../src/platform/clock.ts';
import { dayOf } from '../../../src/runner/budget.ts';
import { Ledger, type SpendEntry } from '../../../src/runner/home/ledger.ts';
import { Store } from '../../../src/runner/home/store.ts';
import { removeScratch, scratchHome } from '../support/scratch.ts';

const NOON = new Date(2026, 10, 26, 12).getTime();

describe('ledger', () => {
  afterEach(removeScratch);

  let store: Store;
  let file: string;
  beforeEach(async () => {
    store = new Store(scratchHome());
    await store.open();
    file = store.layout.spendOn(dayOf(NOON));
  });
  const entry = (run: string, costUsd: number, at = NOON): SpendEntry => ({ run, at, usage: { costUsd } });
  /** As a process that has just started reads it. */
  const anew = (at = NOON) => new Ledger(store.layout).read(at);

  it('keeps what each run has used, and its sum, for those who come later', async () => {
    const ledger = new Ledger(store.layout);
    assert.equal((await ledger.read(NOON)).usage, undefined);
    await ledger.add(entry('a/1', 0.5));
    await ledger.add(entry('a/2', 0.25));
    assert.deepEqual(ledger.last?.usage, { costUsd: 0.75 }, 'known at once');
    assert.deepEqual((await anew()).usage, { costUsd: 0.75 });
    if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('counts a run once, however often it is told', async () => {
    for (const ledger of [new Ledger(store.layout), new Ledger(store.layout)]) {
      await ledger.add(entry('a/1', 0.5));
      await ledger.add(entry('a/1', 0.5));
    }
    assert.deepEqual((await anew()).usage, { costUsd: 0.5 });
    assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, 1);
    // Even where two processes have written at the same moment.
    appendFileSync(file, readFileSync(file));
    assert.deepEqual((await anew()).usage, { costUsd: 0.5 });
  });

  it('keeps days apart, and counts a run for the day on which it ended', async () => {
    const ledger = new Ledger(store.layout);
    await ledger.add(entry('a/1', 0.5));
    await ledger.add(entry('b/1', 3, NOON + DAY));
    assert.deepEqual((await ledger.read(NOON)).usage, { costUsd: 0.5 });
    assert.deepEqual((await ledger.read(NOON + DAY)).usage, { costUsd: 3 });
    // Looked at after midnight: what ended before it is not today's.
    await ledger.add(entry('c/1', 1));
    assert.deepEqual(ledger.last?.day, dayOf(NOON + DAY));
    assert.deepEqual((await anew()).usage, { costUsd: 1.5 });
  });

  it('sees what another process has added', async () => {
    const ledger = new Ledger(store.layout);
    await ledger.add(entry('a/1', 1));
    await new Ledger(store.layout).add(entry('b/1', 1));
    assert.deepEqual((await ledger.read(NOON)).usage, { costUsd: 2 });
  });

  it('is lifted for one day, and says so to everybody', async () => {
    const ledger = new Ledger(store.layout);
    await ledger.add(entry('a/1', 1));
    await new Ledger(store.layout).lift(NOON);
    await ledger.add(entry('a/2', 1));
    const { isLifted, usage } = await ledger.read(NOON);
    assert.deepEqual([isLifted, usage], [true, { costUsd: 2 }]);
    assert.equal((await anew(NOON + DAY)).isLifted, false);
  });

  it('knows a line that was cut off as the beginning of the one that repeats it, wherever it was cut', async () => {
    const first = `${JSON.stringify(entry('a/1', 1))}\n`;
    const second = JSON.stringify(entry('a/2', 2));
    for (let length = 1; length <= second.length; length += 1) {
      writeFileSync(file, first + second.slice(0, length));
      const torn = await anew();
      if (length < second.length)
        assert.deepEqual(torn.usage, { costUsd: 1, atLeast: ['costUsd'] }, `${length}`);
      await new Ledger(store.layout).add(entry('a/2', 2));
      const whole = await anew();
      assert.deepEqual([whole.usage, whole.unreadable], [{ costUsd: 3 }, 0], `cut at ${length}`);
    }
  });

  it('says how much cannot be read, and takes the rest for a lower bound', async () => {
    writeFileSync(file, `${JSON.stringify(entry('a/1', 1))}\n\u0000\u0000garbage\n{"run":7}\nnull\n`);
    const { usage, unreadable } = await anew();
    assert.deepEqual([usage, unreadable], [{ costUsd: 1, atLeast: ['costUsd'] }, 3]);
  });

  it('loses nothing when processes write at once', async () => {
    const script = `
      const { Ledger } = await import(${JSON.stringify(new URL('../../../src/runner/home/ledger.ts', import.meta.url).href)});
      const { Layout } = await import(${JSON.stringify(new URL('../../../src/runner/home/layout.ts', import.meta.url).href)});
      const [home, name] = process.argv.slice(1);
      const ledger = new Ledger(new Layout(home));
      for (let n = 0; n < 50; n += 1) await ledger.add({ run: name + '/' + n, at: ${NOON}, usage: { costUsd: 1 } });`;
    const run = promisify(execFile);
    await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        run(process.execPath, ['--input-type=module', '-e', script, store.layout.root, name]),
      ),
    );
    assert.deepEqual((await anew()).usage, { costUsd: 150 });
  });
});
