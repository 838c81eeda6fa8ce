/** Idempotency keys (fleet-protocol.md, rule 3): a repeat under the same key is known as one. */
import type { KeyRecord } from '../records.ts';
import { mismatch, type Refusal } from '../refusal.ts';
import type { Key } from '../store.ts';
import type { Transaction } from './transaction.ts';

/** What was accepted under the key; undefined: nothing yet, or there is no key. */
export function known(transaction: Transaction, key: Key | undefined): KeyRecord | Refusal | undefined {
  if (key === undefined) return undefined;
  const record = transaction.key(key.scope, key.key);
  return record === undefined || record.fingerprint === key.fingerprint ? record : mismatch();
}

/** Only what was accepted is kept: whatever was refused may be asked again under the same key. */
export function keep(
  transaction: Transaction,
  key: Key | undefined,
  jobId: string,
  epoch: number | null = null,
): void {
  if (key !== undefined) transaction.saveKey({ ...key, jobId, epoch });
}
