import type { JobState } from '../job/state.ts';
import type { ShipMode } from '../manifest/keys.ts';
import type { Manifest } from '../manifest/parse.ts';

/**
 * How a job ships: what its manifest says, else `merge` for a job with a branch to go to (runner.md, "Life of a
 * job", 6). Where nothing has changed, or there is no worktree, there is nothing to land.
 */
export function shipMode(
  manifest: Pick<Manifest, 'ship'>,
  state: Pick<JobState, 'place' | 'result'>,
): ShipMode {
  const { place, result } = state;
  if (place?.kind !== 'worktree' || (result?.files ?? 0) === 0) return 'none';
  return manifest.ship ?? (place.target === undefined ? 'none' : 'merge');
}
