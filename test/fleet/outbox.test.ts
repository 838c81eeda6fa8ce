import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ClaimJournal } from '../../src/fleet/claims.ts';
import { factoryIdOf } from '../../src/fleet/factory-id.ts';
import { keyOf, Outbox } from '../../src/fleet/outbox.ts';
import { HOUR } from '../../src/platform/clock.ts';
import { removeScratch, scratchFolder } from '../runner/support/scratch.ts';

const OWNER = { id: 'job-1-e3', jobId: 'job-1', epoch: 3 };

describe('outbox', () => {
  afterEach(removeScratch);

  it('keeps reports in order, on disk, with numbers that are never used twice', async () => {
    const dir = scratchFolder();
    const outbox = new Outbox(dir);
    await outbox.load();
    const checkpoint = { wipBranch: 'refs/x', wipCommit: 'c' };
    await Promise.all([outbox.add(OWNER, 'building'), outbox.add(OWNER, 'review', checkpoint)]);
    const read = new Outbox(dir);
    assert.deepEqual(await read.load(), []);
    assert.deepEqual(read.next(OWNER.id), { sequence: 1, what: 'building' });
    await read.done(OWNER.id, 1);
    assert.deepEqual(read.next(OWNER.id), { sequence: 2, what: 'review', checkpoint });
    await read.done(OWNER.id, 2);
    await read.add(OWNER, 'testing');
    assert.equal(read.next(OWNER.id)?.sequence, 3);
    const again = new Outbox(dir);
    await again.load();
    assert.deepEqual([again.waiting(OWNER.id), again.told(OWNER.id)], [1, 'testing']);
    assert.deepEqual(again.owner(OWNER.id)?.epoch, 3);
    await again.drop(OWNER.id);
    assert.deepEqual(readdirSync(dir), []);
  });

  it('lets a newer checkpoint take the place of one that has not been sent, but never of the oldest', async () => {
    const outbox = new Outbox(scratchFolder());
    const at = (wipCommit: string) => ({ wipBranch: 'refs/x', wipCommit });
    for (const commit of ['a', 'b', 'c']) await outbox.add(OWNER, 'building', at(commit));
    assert.equal(outbox.waiting(OWNER.id), 2);
    assert.equal(outbox.next(OWNER.id)?.checkpoint?.wipCommit, 'a');
    await outbox.done(OWNER.id, 1);
    assert.deepEqual(outbox.next(OWNER.id), { sequence: 3, what: 'building', checkpoint: at('c') });
    await outbox.add(OWNER, 'review', at('d'));
    await outbox.add(OWNER, 'building', at('e'));
    assert.equal(outbox.waiting(OWNER.id), 3);
  });

  it('sets aside what it cannot read, and loses none of the rest', async () => {
    const dir = scratchFolder();
    const outbox = new Outbox(dir);
    await outbox.add(OWNER, 'building');
    writeFileSync(path.join(dir, 'torn-e1.reports.json'), '{"version":1,"id":"torn');
    const read = new Outbox(dir);
    const [aside = ''] = await read.load();
    assert.equal(readFileSync(aside, 'utf8'), '{"version":1,"id":"torn');
    assert.equal(read.waiting(OWNER.id), 1);
  });

  it('writes what the disk would not take before it is sent', async () => {
    const dir = scratchFolder();
    const outbox = new Outbox(dir);
    await outbox.load();
    await outbox.add(OWNER, 'building');
    rmSync(dir, { recursive: true });
    await assert.rejects(outbox.add(OWNER, 'review'));
    await assert.rejects(outbox.settle(OWNER.id));
    mkdirSync(dir);
    await outbox.settle(OWNER.id);
    const again = new Outbox(dir);
    await again.load();
    assert.equal(again.waiting(OWNER.id), 2);
    await again.add(OWNER, 'testing');
    assert.equal(again.told(OWNER.id), 'testing');
  });

  it('makes keys of job, epoch and number', () => {
    assert.notEqual(keyOf(OWNER, 1), keyOf({ ...OWNER, epoch: 4 }, 1));
    assert.notEqual(keyOf(OWNER, 1), keyOf(OWNER, 2));
    assert.equal(keyOf(OWNER, 1), keyOf({ ...OWNER }, 1));
  });
});

describe('claims under way', () => {
  afterEach(removeScratch);

  it('are on disk before they are made, and repeated after a crash', async () => {
    const dir = scratchFolder();
    const claims = new ClaimJournal(dir);
    await claims.load();
    const requestId = await claims.begin();
    const again = new ClaimJournal(dir);
    await again.load();
    assert.deepEqual(again.unfinished, [requestId]);
    await again.finish(requestId);
    assert.deepEqual(again.unfinished, []);
  });

  it('are not made while the disk takes no request id', async () => {
    const dir = scratchFolder();
    const claims = new ClaimJournal(dir);
    await claims.load();
    rmSync(dir, { recursive: true });
    await assert.rejects(claims.begin());
    assert.deepEqual(claims.unfinished, []);
    mkdirSync(dir);
    const requestId = await claims.begin();
    const again = new ClaimJournal(dir);
    await again.load();
    assert.deepEqual(again.unfinished, [requestId]);
  });

  it('remember for an hour what was declined, whatever the clock does, and not without end', async () => {
    const dir = scratchFolder();
    const claims = new ClaimJournal(dir);
    await claims.decline('a', 1000);
    assert.equal(claims.isDeclined('a', 1000 + HOUR - 1), true);
    assert.equal(claims.isDeclined('a', 1000 + HOUR), false);
    assert.equal(claims.isDeclined('a', 0), true);
    for (let n = 0; n < 250; n += 1) await claims.decline(`job-${n}`, 2000);
    const again = new ClaimJournal(dir);
    await again.load();
    assert.equal(again.isDeclined('a', 2000), false);
    assert.equal(again.isDeclined('job-249', 2000), true);
  });

  it('that cannot be read are none', async () => {
    const dir = scratchFolder();
    writeFileSync(path.join(dir, 'claims.json'), 'half of {');
    const claims = new ClaimJournal(dir);
    await claims.load();
    assert.deepEqual(claims.unfinished, []);
  });
});

describe('the factory’s id', () => {
  afterEach(removeScratch);

  it('is made once and kept; one that is no id is made anew', async () => {
    const dir = scratchFolder();
    const made = await factoryIdOf(dir);
    assert.match(made, /^[A-Za-z0-9][A-Za-z0-9-]*-[0-9a-f]{6}$/);
    assert.equal(await factoryIdOf(dir), made);
    writeFileSync(path.join(dir, 'factory-id'), '../x\n');
    assert.notEqual(await factoryIdOf(dir), '../x');
  });
});
