import { errnoOf } from '../errors.ts';

/** Whether some process has this pid now. It may be another than the one that is meant: ask for the identity where that matters. */
export function pidIsTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}
