/** Factories, tokens, and the coordinator's own upkeep. */
import type { TokenRecord } from '../records.ts';
import { isRefusal } from '../refusal.ts';
import { mayEnrol } from '../rules/enrolment.ts';
import { restarted } from '../rules/lease.ts';
import { nextHeartbeatSec } from '../rules/pace.ts';
import type { CoordinatorSettings } from '../settings.ts';
import type { NewToken, Operation, ResultOf } from '../store.ts';
import { MOST_COUNTED } from './reading.ts';
import type { Transaction } from './transaction.ts';

/** Rows that one pruning takes at most: others wait for the transaction. */
const PRUNED_AT_ONCE = 5000;

export function heartbeat(
  transaction: Transaction,
  { productId, factoryId, capabilities, health, load }: Operation<'heartbeat'>,
): ResultOf<'heartbeat'> {
  const { now } = transaction;
  const firstSeenAt = transaction.factory(productId, factoryId)?.firstSeenAt ?? now;
  const factory = { productId, factoryId, capabilities, health, load, firstSeenAt, lastSeenAt: now };
  transaction.saveFactory(factory);
  return {
    nextHeartbeatSec: nextHeartbeatSec(transaction.fleetSize()),
    claimable: transaction.countFor(factory, MOST_COUNTED),
  };
}

export function issue(transaction: Transaction, { token }: Operation<'issue'>): ResultOf<'issue'> {
  const record = tokenOf(token, transaction.now);
  transaction.saveToken(record);
  return { token: record };
}

function tokenOf(token: NewToken, now: number): TokenRecord {
  if (token.kind !== 'enrolment') return { ...token, createdAt: now };
  const { ttlMs, ...rest } = token;
  return { ...rest, createdAt: now, expiresAt: now + ttlMs, usedAt: null };
}

export function enrol(transaction: Transaction, operation: Operation<'enrol'>): ResultOf<'enrol'> {
  const { hash, factoryId, ownHash } = operation;
  const { now } = transaction;
  const token = transaction.token(hash);
  const productOfToken = token?.kind === 'enrolment' ? token.productId : '';
  const allowed = mayEnrol(token, operation, transaction.isEnrolled(productOfToken, factoryId), now);
  if (isRefusal(allowed)) return allowed;
  const { productId } = allowed;
  if (token?.kind === 'enrolment') transaction.saveToken({ ...token, usedAt: now });
  transaction.endTokensOf(productId, factoryId);
  transaction.saveToken({ kind: 'factory', hash: ownHash, productId, factoryId, createdAt: now });
  return { productId };
}

/** While another coordinator was there, holders could renew all the time. */
export function restart(transaction: Transaction, settings: CoordinatorSettings): ResultOf<'restart'> {
  if (!transaction.isAlone) return { graced: 0 };
  const held = transaction.held();
  for (const job of held) transaction.save(restarted(job, transaction.now, settings), job);
  return { graced: held.length };
}

export function prune(transaction: Transaction, { keysForMs }: CoordinatorSettings): ResultOf<'prune'> {
  return { isDone: transaction.prune(transaction.now - keysForMs, PRUNED_AT_ONCE) };
}
