import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DAY } from '../../../src/platform/clock.ts';
import { steeredClock } from '../support/clock.ts';
import { closeFactories, openTestFactory, waitUntil } from '../support/factory.ts';
import { git, scratchHome, scratchRepo } from '../support/scratch.ts';
import { quarantined } from './support/quarantined.ts';

describe('what a new runner sees to in quarantine', function () {
  this.timeout(30_000);
  let home: string;
  let repo: string;
  beforeEach(() => {
    home = scratchHome();
    repo = scratchRepo();
  });
  afterEach(closeFactories);

  const files = () =>
    readdirSync(path.join(home, 'quarantine'), { recursive: true }).filter((name) =>
      String(name).includes('.'),
    );

  /** A runner starts, so many days later, and has looked around. */
  async function later(days: number): Promise<void> {
    const clock = steeredClock();
    clock.jump(days * DAY);
    rmSync(path.join(home, 'cache/quarantine-swept'), { force: true });
    const factory = await openTestFactory(home, { clock });
    await factory.startRunner();
    const swept = path.join(home, 'cache/quarantine-swept');
    await waitUntil(factory, () => Promise.resolve(existsSync(swept) || undefined));
    await factory.dispose();
  }

  it('keeps what is settled until retention is over, and what is open for ever', async () => {
    const { factory, id } = await quarantined(home, repo, ['echo done > result.txt']);
    await factory.dispose();
    const refs = git(repo, 'for-each-ref');
    await later(400);
    assert.equal(git(repo, 'for-each-ref'), refs);
    assert.equal(files().length, 3);

    const other = await openTestFactory(home);
    await other.execute({ verb: 'discard', id });
    await other.dispose();
    await later(29);
    assert.equal(git(repo, 'for-each-ref'), refs);
    assert.equal(files().length, 4);
    await later(31);
    assert.equal(git(repo, 'for-each-ref', '--format=%(refname)'), 'refs/heads/main');
    assert.deepEqual(files(), []);
    assert.ok(existsSync(path.join(home, 'runs', id, 'state.json')), 'its log stays');
  });

  it('leaves a worktree alone that holds more than the result, and its refs', async () => {
    const { factory, id } = await quarantined(home, repo, ['echo done > result.txt']);
    const { folder = '' } = (await factory.quarantine.entry(id)) ?? {};
    writeFileSync(path.join(folder, 'later.txt'), 'by hand');
    await factory.execute({ verb: 'discard', id });
    await factory.dispose();
    const refs = git(repo, 'for-each-ref');
    await later(31);
    assert.equal(git(repo, 'for-each-ref'), refs);
    assert.ok(existsSync(path.join(folder, 'later.txt')));
    assert.deepEqual(files(), []);
  });

  it('writes records that are missing: of a job that was moved there by hand', async () => {
    const { factory, id } = await quarantined(home, repo, ['echo done > result.txt']);
    await factory.dispose();
    for (const ending of ['json', 'txt']) rmSync(path.join(home, 'quarantine', `${id}.${ending}`));
    git(repo, 'update-ref', '-d', `refs/agent-queue/${id}/base`);
    writeFileSync(path.join(home, 'quarantine', 'by-hand.md'), '# By hand\n');
    await later(0);
    assert.equal(files().length, 6);
    assert.equal(git(repo, 'rev-parse', `refs/agent-queue/${id}/base`), git(repo, 'rev-parse', 'main'));
  });
});
