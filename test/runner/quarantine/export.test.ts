import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { closeFactories } from '../support/factory.ts';
import { commit, git, scratchFolder, scratchHome, scratchRepo } from '../support/scratch.ts';
import { quarantined } from './support/quarantined.ts';

describe('exporting a result', function () {
  this.timeout(30_000);
  afterEach(closeFactories);

  it('is one patch that `git am` takes: title, author and every kind of change, whatever a person has set', async () => {
    const long = Array.from({ length: 30 }, (_, n) => `line ${n}\n`).join('');
    const repo = scratchRepo({ files: { 'a.txt': 'a\n', 'long.txt': long, 'b.bin': Buffer.from([0, 1]) } });
    symlinkSync('a.txt', path.join(repo, 'link'));
    git(repo, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},sub`);
    git(repo, 'add', 'link');
    git(repo, 'commit', '-q', '-m', 'link and submodule');
    for (const [key, value] of [
      ['diff.noprefix', 'true'],
      ['diff.submodule', 'log'],
      ['format.attach', 'true'],
      ['format.signOff', 'true'],
      ['format.numbered', 'true'],
      ['diff.external', 'false'],
      ['diff.renames', 'false'],
      ['color.ui', 'always'],
    ] as const)
      git(repo, 'config', key, value);
    const { factory, id } = await quarantined(
      scratchHome(),
      repo,
      [
        'git mv long.txt moved.txt; echo end >> moved.txt; printf "\\000\\001\\377" > b.bin; rm a.txt',
        'printf "\\374mlaut, no line end" > latin.txt; ln -sfn moved.txt link; echo x > run.sh; chmod +x run.sh',
        `git update-index --cacheinfo 160000,${'2'.repeat(40)},sub`,
      ],
      { manifest: { title: 'Schnellere Importe: ä, ö and “quotes”' } },
    );
    const { work } = (await factory.quarantine.entry(id)) ?? {};
    const patch = path.join(scratchFolder(), 'work.patch');
    writeFileSync(patch, await factory.quarantine.patch(id));
    const clone = path.join(scratchFolder(), 'clone');
    git(path.dirname(clone), 'clone', '-q', repo, clone);
    git(clone, 'config', 'user.name', 'Other');
    git(clone, 'config', 'user.email', 'other@example.org');
    commit(clone, { 'since.txt': 'x\n' }, 'since');
    git(clone, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},sub`);
    git(clone, 'commit', '-q', '--amend', '--no-edit');
    git(clone, 'am', '-q', patch);
    assert.equal(
      git(clone, 'log', '-1', '--format=%s|%an <%ae>|%cn'),
      'Schnellere Importe: ä, ö and “quotes”|Pat <pat@example.org>|Other',
    );
    const expected = git(repo, 'ls-tree', '-r', work?.commit ?? '').split('\n');
    const got = git(clone, 'ls-tree', '-r', 'HEAD').split('\n');
    assert.deepEqual(
      got.filter((line) => !line.endsWith('since.txt')),
      expected,
    );
  });
});
