/**
 * A person adopts a result that came too late: where the coordinator offers it, as a new job of the fleet under an
 * epoch of its own, already this factory's and in review. What is asked names the old job, never its epoch.
 */
import type { Adoption, AdoptionWish } from '../runner/hooks.ts';
import type { Exchange } from './exchange.ts';
import { keyFor, newHeld } from './held.ts';

const GONE = 'the coordinator cannot be reached';

/** @returns as `Hooks.adopt`; a job that was given is in hand. */
export async function adopt(exchange: Exchange, wish: AdoptionWish): Promise<Adoption> {
  const { client, log, shadow } = exchange.options;
  const { fromJobId, jobId, id, isAsked } = wish;
  const no = (why: string): Adoption => (isAsked ? { kind: 'unknown', why } : { kind: 'local', why });
  if (shadow || exchange.runner === undefined) return no('this factory only looks on');
  if (exchange.connection.phase === 'unauthorized') return no('the coordinator turns the token down');
  // Known to be away: nothing is sent, so nothing can have come of it.
  if (exchange.connection.phase === 'unreachable') return no(GONE);
  const outcome = await client.adopt({ fromJobId, jobId });
  switch (outcome.kind) {
    case 'accepted': {
      const { epoch, leaseMs } = outcome.value;
      const claim = { jobId, epoch, leaseMs };
      const known = { ...claim, id, stage: 'review', sentAt: outcome.sentAt, jitter: exchange.random() };
      if (!exchange.held.has(keyFor(claim))) exchange.held.set(keyFor(claim), newHeld(known));
      exchange.served();
      exchange.chronicle.transition(`${jobId}, epoch ${epoch}: adopted from ${fromJobId}`);
      log.info(`Adopted ${fromJobId} as ${jobId} under epoch ${epoch}.`);
      return { kind: 'claimed', claim };
    }
    case 'unreachable':
      exchange.failed(outcome);
      return { kind: 'unknown', why: GONE };
    case 'unauthorized':
      exchange.failed(outcome);
      return no('the coordinator turns the token down');
    case 'fenced':
    case 'refused':
      // For good, whatever was asked before: it does not offer this, or what it made is no longer ours.
      return { kind: 'local', why: 'the coordinator does not make a job of it' };
  }
}
