import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { parseJob } from '../../../src/runner/manifest/parse.ts';
import { Debounce } from '../../../src/views/jobfile/debounce.ts';
import { fixesFor } from '../../../src/views/jobfile/fixes.ts';
import { lensesFor } from '../../../src/views/jobfile/lenses.ts';
import { t } from './marked.ts';

describe('fixesFor', () => {
  const { diagnostics } = parseJob('---\nengin: claude\nship: merg\ntimeout: abc\n---\nb');
  const line = (number: number, from = 0, to = from) => ({
    start: { line: number, character: from },
    end: { line: number, character: to },
  });

  it('changes what was mistyped, exactly there', () => {
    const [fix, ...more] = fixesFor(diagnostics, line(2, 8), t);
    assert.deepEqual(more, []);
    assert.deepEqual(fix && [fix.title, fix.replacement, fix.range], [
      '«Change to merge»',
      'merge',
      line(2, 6, 10),
    ]);
  });

  it('offers a fix at both ends of what is marked, and nowhere else', () => {
    assert.equal(fixesFor(diagnostics, line(1, 0), t).length, 1);
    assert.equal(fixesFor(diagnostics, line(1, 5), t).length, 1);
    assert.equal(fixesFor(diagnostics, line(1, 6), t).length, 0);
    assert.equal(fixesFor(diagnostics, line(3, 10), t).length, 0);
  });
});

describe('lensesFor', () => {
  it('offers Run and Queue side by side for a job outside the home', () => {
    assert.deepEqual(
      lensesFor(undefined, (message) => message).map(({ title, command }) => [title, command]),
      [
        ['$(play) Run', 'agentQueue.job.run'],
        ['$(add) Queue', 'agentQueue.job.add'],
      ],
    );
  });

  it('offers only what can be done with a job in the home', () => {
    assert.deepEqual(
      lensesFor('queued', t).map(({ command }) => command),
      ['agentQueue.job.run'],
    );
    assert.deepEqual(lensesFor('building', t), []);
    assert.deepEqual(lensesFor('shipped', t), []);
  });
});

describe('Debounce', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('runs the last work for each key, once, after the pause', () => {
    const done: string[] = [];
    const debounce = new Debounce<string>(200);
    debounce.run('a', () => done.push('a1'));
    mock.timers.tick(199);
    debounce.run('a', () => done.push('a2'));
    debounce.run('b', () => done.push('b'));
    mock.timers.tick(199);
    assert.deepEqual(done, []);
    mock.timers.tick(1);
    assert.deepEqual(done, ['a2', 'b']);
    mock.timers.tick(1000);
    assert.equal(done.length, 2);
  });

  it('forgets cancelled work, and all of it when disposed', () => {
    const debounce = new Debounce<string>(200);
    debounce.run('a', () => assert.fail());
    debounce.cancel('a');
    debounce.run('b', () => assert.fail());
    debounce.dispose();
    mock.timers.tick(1000);
  });
});
