/** Compare with real commits of the winner: here, on the remote, or not to be had. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { localIdOf } from '../../../src/runner/claimed/materialise.ts';
import type { Whereabouts } from '../../../src/runner/hooks.ts';
import { closeFactories } from '../support/factory.ts';
import { commit, type Files, git, scratchFolder, scratchHome, scratchRepo } from '../support/scratch.ts';
import { type Quarantined, quarantined } from './support/quarantined.ts';

const LONG = Array.from({ length: 30 }, (_, n) => `line ${n}\n`).join('');
const WIP = 'refs/agent-queue/Job-7-e4/wip';

describe('comparing a result', function () {
  this.timeout(30_000);
  let home: string;
  let repo: string;
  let remote: string;
  let elsewhere: string;
  beforeEach(() => {
    home = scratchHome();
    repo = scratchRepo({ files: { 'a.txt': 'a\n', 'long.txt': LONG } });
    remote = path.join(scratchFolder(), 'remote.git');
    git(repo, 'clone', '-q', '--bare', '.', remote);
    git(repo, 'remote', 'add', 'origin', remote);
    elsewhere = path.join(scratchFolder(), 'elsewhere');
    git(path.dirname(elsewhere), 'clone', '-q', remote, elsewhere);
    git(elsewhere, 'config', 'user.name', 'Winner');
    git(elsewhere, 'config', 'user.email', 'winner@example.org');
  });
  afterEach(closeFactories);

  /** The winner's work on its own laptop, pushed to its own ref. */
  const winner = (files: Files, more: Partial<Whereabouts> = {}): Whereabouts => {
    const wipCommit = commit(elsewhere, files, 'winner');
    git(elsewhere, 'push', '-q', '--force', remote, `HEAD:${WIP}`);
    return {
      epoch: 4,
      holder: 'mac-studio',
      stage: 'review',
      checkpoint: { wipBranch: WIP, wipCommit },
      ...more,
    };
  };
  const compare = ({ factory, fleet, id }: Quarantined, where: Whereabouts | undefined) => {
    fleet.where = where;
    return factory.quarantine.compare(id);
  };

  it('fetches the winner’s work from its own ref, and shows base, ours and theirs of each file', async () => {
    const made = await quarantined(home, repo, [
      "sed -i 's/line 2$/ours/' long.txt; echo ours > a.txt; echo x > mine.txt",
    ]);
    const where = winner({
      'a.txt': 'theirs\n',
      'long.txt': LONG.replace('line 28\n', 'theirs\n'),
      'new.txt': 'x\n',
    });
    const found = await compare(made, where);
    assert.deepEqual(found.verdict, { kind: 'overlaps', files: ['a.txt'] });
    assert.equal(found.text, 'Touches the same lines as that of mac-studio in a.txt.');
    assert.equal(found.theirs, where.checkpoint?.wipCommit);
    assert.deepEqual(
      found.files.map(({ path, relation }) => `${relation} ${path}`),
      ['conflict a.txt', 'apart long.txt', 'ours mine.txt', 'theirs new.txt'],
    );
    const file = await made.factory.quarantine.compareFile(found, 'a.txt');
    assert.match(file.ours ?? '', /^-a\n\+ours$/m);
    assert.match(file.theirs ?? '', /^-a\n\+theirs$/m);
    assert.deepEqual(Object.keys(await made.factory.quarantine.compareFile(found, 'new.txt')), ['theirs']);
    for (const each of [found.base, found.ours, found.theirs ?? ''])
      assert.equal(git(found.repository, 'cat-file', '-t', each), 'commit');
  });

  it('does not count what had come to the branch before the winner began, nor once that has landed', async () => {
    const made = await quarantined(home, repo, ['echo ours > long.txt']);
    commit(elsewhere, { 'long.txt': 'other work\n' }, 'since');
    git(elsewhere, 'push', '-q', remote, 'HEAD:main');
    git(elsewhere, 'switch', '-q', '-c', 'work');
    const where = winner({ 'new.txt': 'x\n' });
    git(repo, 'pull', '-q', '--ff-only', 'origin', 'main');
    const found = await compare(made, where);
    assert.equal(found.theirBase, git(repo, 'rev-parse', 'main'));
    assert.deepEqual(found.verdict, { kind: 'independent', apart: [] });
    commit(repo, { 'more.txt': 'x\n' }, 'more');
    git(repo, 'merge', '-q', '--no-edit', where.checkpoint?.wipCommit ?? '');
    commit(repo, { 'still-more.txt': 'x\n' }, 'still more');
    assert.deepEqual((await compare(made, { ...where, stage: 'shipped' })).files, found.files);
  });

  it('closes itself when the winner has shipped the same, and says so; never before', async () => {
    const made = await quarantined(home, repo, ['echo same > a.txt']);
    const where = winner({ 'a.txt': 'same\n' });
    const first = await compare(made, where);
    assert.deepEqual([first.verdict, first.closed], [{ kind: 'same', closes: false }, false]);
    const second = await compare(made, { ...where, stage: 'shipped' });
    assert.deepEqual([second.verdict, second.closed], [{ kind: 'same', closes: true }, true]);
    const entry = await made.factory.quarantine.entry(made.id);
    assert.equal(entry?.settled?.as, 'discarded');
    assert.match(entry?.settled?.text ?? '', /^The same tree as that of mac-studio, which has shipped/);
    assert.equal((await compare(made, { ...where, stage: 'shipped' })).closed, false, 'it is closed already');
  });

  it('that the winner has not finished, or has saved nothing of, says so', async () => {
    const made = await quarantined(home, repo, ['echo ours > a.txt']);
    assert.equal(
      (await compare(made, winner({ 'a.txt': 'ours\n' }, { stage: 'building' }))).verdict.kind,
      'unfinished',
    );
    // The coordinator still names what this laptop had saved last.
    const { work } = (await made.factory.quarantine.entry(made.id)) ?? {};
    const ours = { wipBranch: work?.workRef ?? '', wipCommit: work?.commit ?? '' };
    const unsaved = await compare(made, {
      epoch: 4,
      stage: 'shipped',
      holder: 'mac-studio',
      checkpoint: ours,
    });
    assert.equal(
      unsaved.text,
      'There is nothing to compare with: the winner has not saved any work that could be looked at.',
    );
    assert.equal(unsaved.closed, false);
  });

  it('goes by what was known when nobody tells any more, and by refs in this clone', async () => {
    const where = winner({ 'a.txt': 'theirs\n' });
    const made = await quarantined(home, repo, ['echo ours > a.txt'], { where });
    assert.equal((await compare(made, undefined)).verdict.kind, 'overlaps');
    const { checkpoint: _none, ...unnamed } = where;
    assert.equal((await compare(made, unnamed)).verdict.kind, 'unknown');
    const local = `refs/agent-queue/${localIdOf({ jobId: 'Job-7', epoch: 4 })}/wip`;
    git(repo, 'update-ref', local, where.checkpoint?.wipCommit ?? '');
    assert.equal((await compare(made, unnamed)).verdict.kind, 'overlaps');
  });

  it('that cannot be fetched is unknown, not the same', async () => {
    const made = await quarantined(home, repo, ['echo ours > a.txt']);
    const where = winner({ 'a.txt': 'ours\n' }, { stage: 'shipped' });
    rmSync(remote, { recursive: true });
    const found = await compare(made, where);
    assert.match(
      found.text,
      /the winner’s work \([0-9a-f]{10}\) is neither in this clone nor on its remote\.$/,
    );
    assert.deepEqual(found.files, [{ path: 'a.txt', relation: 'ours', ours: 'modified' }]);
  });
});
