/** `src/platform/processes/pid.ts`, on a simulated machine. */
import { here } from '../world/world.ts';

export function pidIsTaken(pid: number): boolean {
  return [...here().machine.processes].some((process) => process.pid === pid);
}
