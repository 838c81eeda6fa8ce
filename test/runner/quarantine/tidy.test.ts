import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DAY, systemClock } from '../../../src/platform/clock.ts';
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
  async function later(days: number, quarantineDays?: number): Promise<void> {
    const clock = steeredClock();
    clock.jump(days * DAY);
    rmSync(path.join(home, 'cache/quarantine-swept'), { force: true });
    const settings = quarantineDays === undefined ? {} : { quarantineDays };
    const factory = await openTestFactory(home, { clock, settings });
    await factory.startRunner();
    const swept = path.join(home, 'cache/quarantine-swept');
    if (quarantineDays === 0) await systemClock.sleep(500);
    else await waitUntil(factory, () => Promise.resolve(existsSync(swept) || undefined));
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

  it('keeps it for as long as the setting says, and with 0 for ever', async () => {
    const { factory, id } = await quarantined(home, repo, ['echo done > result.txt'], {
      factory: { settings: { quarantineDays: 5 } },
    });
    assert.equal(
      (await factory.execute({ verb: 'discard', id })).message,
      `${id} is discarded; it is kept for 5 days, and can be restored until then.`,
    );
    await factory.dispose();
    await later(400, 0);
    assert.equal(files().length, 4);
    await later(4, 5);
    assert.equal(files().length, 4);
    await later(6, 5);
    assert.deepEqual(files(), []);
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

  it('shows a result anew although an earlier one of its id was settled and its file moved away by hand', async () => {
    const { factory, id } = await quarantined(home, repo, ['echo done > result.txt']);
    await factory.execute({ verb: 'discard', id });
    rmSync(path.join(home, 'quarantine', `${id}.md`));
    await factory.dispose();
    const again = await quarantined(home, repo, ['echo again > result.txt']);
    assert.equal((await again.factory.quarantine.entry(again.id))?.settled, undefined);
    assert.equal((await again.factory.quarantine.page({ offset: 0, limit: 9 })).count, 1);
    assert.equal(again.id, id);
  });
});
