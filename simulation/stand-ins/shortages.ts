/** `src/runner/shortages.ts`: what a simulated laptop is short of. */
import { here } from '../world/world.ts';

export function machineShortages(): Promise<string[]> {
  const { disk } = here().machine;
  return here().effect(() => (disk.isFull ? ['the disk has only 0 MB left'] : []));
}
