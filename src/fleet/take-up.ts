/** What an earlier process has left of a fleet in this home: claimed jobs, unsent reports, claims under way. */
import { MINUTE } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Holding } from '../runner/hooks.ts';
import { stampOf } from './elapsed.ts';
import type { Exchange } from './exchange.ts';
import { type Held, keyFor, newHeld } from './held.ts';
import { doubted, landing } from './lease.ts';
import type { FleetOptions } from './options.ts';
import type { BoxOwner, Report } from './outbox.ts';
import { isTerminal, wireAction } from './report.ts';

/** For a lease that is known only by what it has still to report, until a renewal tells, ms. */
const UNKNOWN_LENGTH = 15 * MINUTE;

/** Reads outbox and claims. What cannot be read is set aside, and said. */
export async function readMemory({ outbox, claims, log }: FleetOptions): Promise<void> {
  for (const file of await outbox.load())
    log.error(`A file of unsent reports could not be read; it is kept as ${file}.`);
  await claims.load();
}

/** Takes up claimed jobs that are not at their end, and those of which only reports are left. */
export async function takeUpAll(exchange: Exchange, holdings: readonly Holding[]): Promise<void> {
  const { outbox } = exchange.options;
  for (const holding of holdings) await takeUp(exchange, holding);
  for (const id of outbox.ids()) {
    const owner = outbox.owner(id);
    if (owner === undefined || exchange.held.has(keyFor(owner))) continue;
    // Its job is at its end here, or gone; only what it has still to report is left.
    await tellTheEnd(exchange, owner);
    const { id: local, jobId, epoch } = owner;
    found(exchange, { id: local, jobId, epoch, stage: 'ended', leaseMs: UNKNOWN_LENGTH });
  }
}

/**
 * A crash between the move to its end and the report of it: that end is told, after what waits. Where there is none to
 * tell the lease is given back: renewed for a job that nobody works at, it would keep the job from everybody.
 */
export async function tellTheEnd(
  { options, runner }: Pick<Exchange, 'options' | 'runner'>,
  owner: BoxOwner,
): Promise<void> {
  const { outbox } = options;
  const { id } = owner;
  if (outbox.waiting(id) > 0 && isTerminal(outbox.told(id) ?? '')) return;
  const { claim, stage, reasonCode, checkpoint } = (await runner?.standing(id)) ?? {};
  const isSame = claim?.jobId === owner.jobId && claim.epoch === owner.epoch;
  const action = wireAction(isSame && stage !== undefined ? stage : 'quarantine', reasonCode);
  if (action.do === 'report' && isTerminal(action.stage)) await put(options, owner, action.stage, checkpoint);
  else await put(options, owner, 'release');
}

/** A full disk keeps nobody out of the fleet: what it has not taken is written before it is sent (Outbox.settle). */
async function put(
  { outbox, log }: FleetOptions,
  owner: BoxOwner,
  ...report: [what: Report['what'], checkpoint?: Report['checkpoint']]
): Promise<void> {
  try {
    await outbox.add(owner, ...report);
  } catch (error) {
    log.error(`${owner.id}: its report is not on disk yet: ${messageOf(error)}`);
  }
}

async function takeUp(
  exchange: Exchange,
  { id, claim, stage, reasonCode, checkpoint, isShipping = false }: Holding,
): Promise<void> {
  if (exchange.held.has(keyFor(claim))) return;
  const { jobId, epoch, leaseMs } = claim;
  const held = found(exchange, { id, jobId, epoch, leaseMs, stage, checkpoint });
  held.shipHeld = stage === 'testing' && reasonCode === 'held';
  held.shipAsked = isShipping;
  if (claim.mayLand === true) held.lease = landing(held.lease);
  // A crash between the move and its report: the stage that the job is in is what has to be told.
  const action = wireAction(stage, reasonCode);
  const { outbox } = exchange.options;
  if (held.lease.verdict === undefined && action.do === 'report' && outbox.told(id) !== action.stage)
    await put(exchange.options, held, action.stage, checkpoint);
}

/** A claim that an earlier process made: its lease is uncertain until it is renewed. */
function found(exchange: Exchange, known: Omit<Parameters<typeof newHeld>[0], 'sentAt' | 'jitter'>): Held {
  const sentAt = stampOf(exchange.options.clock);
  const held = newHeld({ ...known, sentAt, jitter: exchange.random() });
  held.lease = doubted(held.lease, 'restart');
  exchange.held.set(keyFor(held), held);
  return held;
}
