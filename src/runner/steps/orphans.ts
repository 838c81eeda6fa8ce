/** Worktrees that a crash has left to nobody: claimed for a job, whose state never came to name them. */
import { messageOf } from '../../platform/errors.ts';
import type { Store } from '../home/store.ts';
import { releaseWorktree } from '../workspace/release.ts';
import { listSlots, ownerOf } from '../workspace/slots.ts';
import type { Workshop } from './workshop.ts';

const VERIFY = ' verify';

/** The owner of a checkout in which only the job's `verify` commands run. */
export function verifyOwner(id: string): string {
  return `${id}${VERIFY}`;
}

/**
 * Gives orphaned worktrees back to the pool, as far as all that is in them is reachable from a ref.
 * @param inWork whether a job is in the runner's hands, and may be about to name a worktree.
 */
export async function releaseOrphans(
  shop: Workshop,
  store: Store,
  inWork: (id: string) => boolean,
): Promise<void> {
  for (const slot of await listSlots(shop.layout.root)) {
    const claimed = slot.idleAt === undefined ? await ownerOf(slot.path) : undefined;
    if (claimed === undefined) continue;
    const id = claimed.owner.replace(VERIFY, '');
    const state = await store.readState(id);
    if (inWork(id) || state?.place?.worktree === slot.path || state?.verifying?.checkout === slot.path)
      continue;
    try {
      const { repository, owner } = claimed;
      const disposable = owner.endsWith(VERIFY);
      const released = await releaseWorktree(shop.git, {
        repository,
        path: slot.path,
        owner,
        disposable,
        clock: shop.clock,
      });
      shop.log.info(`${slot.path}, left over from ${id}: ${released.outcome}`);
    } catch (error) {
      shop.log.warn(`${slot.path}, left over from ${id}, is kept: ${messageOf(error)}`);
    }
  }
}
