/** What a git that was killed leaves: the lock of the ref that it was writing. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemClock } from '../../../src/platform/clock.ts';
import { checkpoint } from '../../../src/runner/workspace/checkpoint.ts';
import { writeOwnRef } from '../../../src/runner/workspace/own-ref.ts';
import { git, person, removeScratch, repositoryAt, scratch, write } from './scratch.ts';

describe('a ref that only the runner writes', function () {
  this.timeout(30_000);
  const ref = 'refs/agent-queue/job/wip';
  let app: string;
  beforeEach(() => {
    app = repositoryAt(join(scratch(), 'app'), { a: 'a' });
  });
  afterEach(removeScratch);

  const lock = (name: string): string => {
    const file = join(app, '.git', `${name}.lock`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
    return file;
  };
  const update = (name: string) => git.run(['update-ref', name, 'HEAD'], { cwd: app });
  /** Time flies; `then` happens meanwhile. */
  const clockThat = (then: () => void) => ({ ...systemClock, sleep: () => Promise.resolve(then()) });

  it('takes a checkpoint although a killed git has left its lock', async () => {
    const file = lock(ref);
    write(app, { a: 'changed' });
    const { wipCommit } = await checkpoint(git, { worktree: app, ref, message: 'Job: wip' });
    assert.equal(person(app, 'rev-parse', ref), wipCommit);
    assert.equal(existsSync(file), false);
  });

  it('is written at once by whoever comes when the lock goes by itself', async () => {
    const file = lock(ref);
    await writeOwnRef(
      () => update(ref),
      clockThat(() => rmSync(file)),
    );
    assert.equal(person(app, 'rev-parse', ref), person(app, 'rev-parse', 'HEAD'));
  });

  it('keeps the lock of a git that is at work: each time it is another', async () => {
    const file = lock(ref);
    let made = 0;
    const busy = clockThat(() => {
      made += 1;
      rmSync(file);
      writeFileSync(file, 'x'.repeat(made));
    });
    await assert.rejects(
      writeOwnRef(() => update(ref), busy),
      /File exists/,
    );
    assert.ok(existsSync(file));
  });

  it('leaves the locks of the person’s refs alone', async () => {
    const file = lock('refs/heads/mine');
    const unexpected = clockThat(() => assert.fail('it waited'));
    await assert.rejects(
      writeOwnRef(() => update('refs/heads/mine'), unexpected),
      /File exists/,
    );
    assert.ok(existsSync(file));
  });
});
