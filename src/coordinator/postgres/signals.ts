/** How an operation that cannot go on is told apart from one that failed. None of these leaves this folder. */
import type { Need } from './needs.ts';

/** It needs what has not been fetched: it is run again once that is there. */
export class Missing extends Error {
  readonly need: Need;

  constructor(need: Need) {
    super(`${need.kind} is needed`);
    this.need = need;
  }
}

/** What it would take is locked by another process, which may leave it: it is run again a little later. */
export class Contended extends Error {}
