import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { newestIn } from '../../../src/runner/home/journal.ts';
import { removeScratch, scratchFolder } from '../support/scratch.ts';

const line = (id: string, to: string) => `${JSON.stringify({ at: 1, id, from: 'queued', to })}\n`;

describe('the journal', () => {
  let file: string;
  beforeEach(() => {
    file = path.join(scratchFolder(), 'journal.jsonl');
  });
  afterEach(removeScratch);

  it('tells who came last into a stage, newest first', async () => {
    writeFileSync(
      file,
      line('a', 'failed') +
        line('b', 'failed') +
        line('a', 'queued') +
        line('c', 'shipped') +
        line('a', 'failed'),
    );
    assert.deepEqual(await newestIn(file, 'failed'), ['a', 'b']);
    assert.deepEqual(await newestIn(file, 'shipped'), ['c']);
    assert.deepEqual(await newestIn(file, 'queued'), []);
  });

  it('is empty before the first transition', async () => {
    assert.deepEqual(await newestIn(file, 'failed'), []);
  });

  it('passes over what it cannot read', async () => {
    const garbage = ['', '{', '{}', 'null', '[1]', '\0\xff', '{"id":7}', '"x"'];
    writeFileSync(
      file,
      `${line('a', 'failed')}${garbage.join('\n')}\n${line('b', 'failed')}{"at":1,"id":"c","to":"fai`,
    );
    assert.deepEqual(await newestIn(file, 'failed'), ['b', 'a']);
  });

  it('is read only from its end', async () => {
    writeFileSync(file, line('old', 'failed'));
    appendFileSync(file, line('other', 'shipped').repeat(20_000));
    appendFileSync(file, line('new', 'failed'));
    assert.deepEqual(await newestIn(file, 'failed'), ['new']);
  });
});
