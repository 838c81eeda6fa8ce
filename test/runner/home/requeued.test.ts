import assert from 'node:assert/strict';
import { appendFileSync, truncateSync } from 'node:fs';
import { systemClock } from '../../../src/platform/clock.ts';
import { addJob } from '../../../src/runner/enqueue.ts';
import { Inbox } from '../../../src/runner/home/inbox.ts';
import { Requeued } from '../../../src/runner/home/requeued.ts';
import { Store } from '../../../src/runner/home/store.ts';
import { assign, newState } from '../../../src/runner/job/moves.ts';
import { jobFile } from '../support/job-file.ts';
import { removeScratch, scratchHome } from '../support/scratch.ts';

describe('requeued jobs', () => {
  afterEach(removeScratch);

  /** A home with a new job `fresh`, and `again`, which has been in work. */
  async function home() {
    const store = new Store(scratchHome());
    await store.open();
    const inbox = new Inbox(store.layout, systemClock);
    for (const name of ['fresh', 'again']) await addJob(store, { text: jobFile({}), name }, 1);
    const queued = {
      ...newState({ id: 'again', title: 'A', priority: 5, addedAt: 1 }),
      notBefore: 9,
      limits: 1,
    };
    const assigned = assign(queued, 2);
    await store.transition(assigned, 'queued');
    const requeued = new Requeued(store);
    const known = async () => {
      inbox.heard(undefined);
      await inbox.refresh();
      return [...(await requeued.states(inbox.entries())).values()].map(({ id, notBefore }) => [
        id,
        notBefore,
      ]);
    };
    return { store, queued, assigned, known };
  }

  it('are known as soon as they are in the queue again, and no longer than that', async () => {
    const { store, queued, assigned, known } = await home();
    assert.deepEqual(await known(), []);
    await store.transition(queued, 'assigned');
    assert.deepEqual(await known(), [['again', 9]]);
    assert.deepEqual(await known(), [['again', 9]], 'at the second look as well');
    await store.transition(assigned, 'queued');
    assert.deepEqual(await known(), []);
  });

  it('are known when many look at once, and by those who come later', async () => {
    const { store, queued, known } = await home();
    await store.transition(queued, 'assigned');
    const looks = await Promise.all(Array.from({ length: 5 }, known));
    for (const look of looks) assert.deepEqual(look, [['again', 9]]);
  });

  it('are told by whole lines, also of a journal that has become shorter', async () => {
    const { store, queued, assigned, known } = await home();
    await store.transition(queued, 'assigned');
    appendFileSync(store.layout.journal, '{"at":3,"id":"again","fr');
    assert.deepEqual(await known(), [['again', 9]]);
    appendFileSync(store.layout.journal, 'om":"queued","to":"assigned"}\n');
    assert.deepEqual(await known(), []);
    await store.transition(assigned, 'queued');
    await store.transition(queued, 'assigned');
    assert.deepEqual(await known(), [['again', 9]]);
    truncateSync(store.layout.journal);
    assert.deepEqual(await known(), [['again', 9]], 'what was known stays');
  });
});
