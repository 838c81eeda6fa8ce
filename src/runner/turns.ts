/**
 * What is decided about a job that nobody works at is decided by one at a time: read, judged and moved. Two at once
 * (a person approves while the fleet takes the job away) would each move what the other has moved already.
 */
const ends = new Map<string, Promise<unknown>>();

/**
 * Acts when all who came before for the same key are done. Process-wide: for a moment two runners of one process may
 * serve one home. Never nested for one key, which would wait for ever.
 */
export function inTurn<T>(key: string, act: () => Promise<T>): Promise<T> {
  const turn = (ends.get(key) ?? Promise.resolve()).then(act);
  const end = turn
    .catch(() => undefined)
    .finally(() => {
      if (ends.get(key) === end) ends.delete(key);
    });
  ends.set(key, end);
  return turn;
}
