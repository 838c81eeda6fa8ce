/** The one call whose answer is a permission: an accepted `shipped` is a permanent, exclusive right to land (rule 10). */
import { messageOf } from '../platform/errors.ts';
import type { AttachedRunner, Permission } from '../runner/hooks.ts';
import type { Chronicle } from './chronicle.ts';
import { stampOf } from './elapsed.ts';
import type { Held } from './held.ts';
import { fenced, landing, mayActOutward } from './lease.ts';
import type { FleetOptions } from './options.ts';
import { keyOf } from './outbox.ts';
import type { Failure } from './outcome.ts';

interface ShippingSide {
  readonly options: FleetOptions;
  readonly chronicle: Chronicle;
  readonly runner: AttachedRunner | undefined;
  failed(outcome: Extract<Failure, { kind: 'unreachable' | 'unauthorized' }>): void;
  end(held: Held): Promise<void>;
}

export class Shipping {
  readonly #side: ShippingSide;

  constructor(side: ShippingSide) {
    this.#side = side;
  }

  /** Reports `shipped`, under a lease that is held. What cannot be had now is asked for again when it can. */
  async ask(held: Held): Promise<Permission> {
    const { options, chronicle } = this.#side;
    const { jobId, epoch, checkpoint } = held;
    if (held.givenBack === true || !mayActOutward(held.lease, stampOf(options.clock))) return later(held);
    held.shipAsked = true;
    const key = keyOf(held, 'shipped');
    const outcome = await options.client.report({ jobId, epoch, key, stage: 'shipped', checkpoint });
    // The loop may have been told meanwhile: a renewal that was turned down, because it had been accepted.
    if (held.lease.verdict === 'landing') return this.#landing(held);
    if (held.lease.verdict !== undefined) return 'fenced';
    if (outcome.kind === 'unreachable' || outcome.kind === 'unauthorized') {
      this.#side.failed(outcome);
      return unanswered(held);
    }
    const isOurs = outcome.kind === 'accepted' || (await this.isOurs(held));
    if (isOurs === undefined) return unanswered(held);
    if (isOurs) return this.#landing(held);
    held.lease = fenced(held.lease);
    options.log.warn(`fenced-abort ${held.id} (job ${jobId}, epoch ${epoch}): at shipping`);
    chronicle.fenced({ id: held.id, jobId, epoch, text: 'stale when it was to ship' });
    await this.#side.end(held);
    return 'fenced';
  }

  #landing(held: Held): Permission {
    held.lease = landing(held.lease);
    held.shipHeld = false;
    this.#side.chronicle.transition(`${held.jobId}, epoch ${held.epoch}: shipped`);
    return 'accepted';
  }

  /** Whether `shipped` was accepted under our epoch, and only the answer was lost; undefined: nobody says. */
  async isOurs({ jobId, epoch }: Held): Promise<boolean | undefined> {
    const job = await this.#side.options.client.job(jobId);
    if (job.kind === 'accepted') return job.value.stage === 'shipped' && job.value.epoch === epoch;
    if (job.kind !== 'unreachable' && job.kind !== 'unauthorized') return false;
    this.#side.failed(job);
    return undefined;
  }

  /** What could not be allowed before may be now. Not awaited: it waits for a permission that only the loop gives. */
  again(held: Held): void {
    held.shipHeld = false;
    this.#side.runner
      ?.shipHeld(held.id)
      .catch((error: unknown) => this.#side.options.log.error(`${held.id}: ${messageOf(error)}`));
  }
}

function later(held: Held): Permission {
  held.shipHeld = true;
  return held.shipAsked ? 'unanswered' : 'held';
}

function unanswered(held: Held): Permission {
  held.shipHeld = true;
  return 'unanswered';
}
