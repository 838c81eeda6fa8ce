import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { systemClock } from '../../src/platform/clock.ts';
import { addJob } from '../../src/runner/enqueue.ts';
import { Inbox } from '../../src/runner/home/inbox.ts';
import { Store } from '../../src/runner/home/store.ts';
import type { JobState } from '../../src/runner/job/state.ts';
import { takeJob } from '../../src/runner/queue.ts';
import { jobFile } from './support/job-file.ts';
import { removeScratch, scratchHome } from './support/scratch.ts';

describe('taking a job', () => {
  afterEach(removeScratch);

  async function queued() {
    const store = new Store(scratchHome());
    await store.open();
    const id = await addJob(store, { text: jobFile({}), name: 'one' }, systemClock.now());
    const inbox = new Inbox(store.layout, systemClock);
    await inbox.refresh();
    const entry = inbox.get(id);
    assert.ok(entry);
    const within = (job: JobState) => job;
    return { store, inbox, entry, clock: systemClock, urgent: false, within };
  }

  it('moves its file and counts the attempt', async () => {
    const options = await queued();
    const took = await takeJob(options);
    assert.ok(took !== undefined && 'taken' in took);
    assert.equal(took.taken.attempt, 1);
    assert.deepEqual(await options.store.stagesOf('one'), ['assigned']);
  });

  it('comes to nothing when its file was deleted a moment ago', async () => {
    const options = await queued();
    rmSync(options.entry.file);
    assert.equal(await takeJob(options), undefined);
    assert.deepEqual(await options.store.stagesOf('one'), []);
  });
});
