/** Seeds that have found something, and what it was: run again by every `npm test`. */
export const FOUND: readonly (readonly [seed: number, what: string])[] = [
  [18, 'a job that may land, given up by a person, stayed among the leases for ever'],
  [81, 'the same, given up before its fenced report was answered'],
  [11, 'a claim was sent whose request id a full disk had not taken'],
];
