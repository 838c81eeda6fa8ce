import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { mustBeAllowed, mustBeAllowedIn } from '../../../src/runner/claimed/policy.ts';
import type { ClaimPolicy } from '../../../src/runner/hooks.ts';
import { parseJob } from '../../../src/runner/manifest/parse.ts';
import { removeScratch, scratchFolder } from '../support/scratch.ts';

const STRICT: ClaimPolicy = { roots: [], yolo: false, commands: false };

function manifest(keys: string) {
  const { job } = parseJob(`---\n${keys}\n---\nDo it.\n`, {
    fileName: 'job.md',
    engines: ['claude', 'shell'],
  });
  assert.ok(job, keys);
  return job;
}

describe('policy for claimed jobs', () => {
  afterEach(removeScratch);

  for (const { keys, allows } of [
    { keys: 'yolo: true', allows: { yolo: true } },
    { keys: 'setup: npm ci', allows: { commands: true } },
    { keys: 'verify: [npm test]', allows: { commands: true } },
    { keys: 'review: skip', allows: { commands: true } },
    { keys: 'worktree: false', allows: { commands: true } },
  ]) {
    it(`forbids \`${keys}\` unless it is allowed`, () => {
      const job = manifest(keys);
      assert.throws(() => mustBeAllowed(job, 'claude', STRICT), { code: 'declined' });
      assert.doesNotThrow(() => mustBeAllowed(job, 'claude', { ...STRICT, ...allows }));
    });
  }

  it('allows every engine but `shell`, or just those that are named', () => {
    const plain = manifest('priority: 5');
    assert.doesNotThrow(() => mustBeAllowed(plain, 'claude', STRICT));
    assert.throws(() => mustBeAllowed(plain, 'shell', STRICT), /AQ_FLEET_ALLOW_ENGINES|shell/);
    assert.throws(() => mustBeAllowed(plain, 'claude', { ...STRICT, engines: ['shell'] }), {
      code: 'declined',
    });
    assert.doesNotThrow(() => mustBeAllowed(plain, 'shell', { ...STRICT, engines: ['shell'] }));
  });

  it('takes a folder only under a root, links resolved, and a neighbour of the same beginning is none', async () => {
    const root = path.join(scratchFolder(), 'root');
    const outside = scratchFolder();
    for (const name of ['', 'in', '..in']) mkdirSync(path.join(root, name));
    mkdirSync(`${root}-other`);
    symlinkSync(outside, path.join(root, 'out'));
    symlinkSync(root, path.join(outside, 'link'));
    const policy = { ...STRICT, roots: [path.join(outside, 'link'), '/does/not/exist'] };
    await mustBeAllowedIn(root, 'worktree', policy);
    await mustBeAllowedIn(path.join(root, 'in'), 'worktree', policy);
    await mustBeAllowedIn(path.join(root, '..in'), 'worktree', policy);
    for (const folder of [path.join(root, 'out'), `${root}-other`, path.dirname(root), outside]) {
      await assert.rejects(mustBeAllowedIn(folder, 'worktree', policy), { code: 'declined' }, folder);
    }
    await assert.rejects(mustBeAllowedIn(root, 'plain', policy), { code: 'declined' });
    await mustBeAllowedIn(root, 'plain', { ...policy, commands: true });
  });
});
