/** Exit codes of `aq`; part of its interface (README, "The command line"). */
export const EXIT = {
  ok: 0,
  /** Refused in words, or a job that was run ended blocked, failed or in the dead letters. */
  refused: 1,
  usage: 2,
  noSuchJob: 3,
  /** The coordinator could not be reached, or turned the token down; local jobs were run all the same. */
  unreachable: 4,
  internal: 70,
} as const;
