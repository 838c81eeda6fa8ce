/** A fleet that makes a job of whatever is adopted, and holds it under epoch 1. */
import { type Hooks, offline } from '../../../../src/runner/hooks.ts';

export const adoptingFleet: Hooks = {
  ...offline,
  permit: () => Promise.resolve('accepted'),
  adopt: ({ jobId }) => Promise.resolve({ kind: 'claimed', claim: { jobId, epoch: 1, leaseMs: 900_000 } }),
};
