/** A new job (fleet-protocol.md, `POST /fleet/jobs`, and "Matching"; rule 13: the coordinator judges `needs`). Pure. */
import type { JobRecord } from '../records.ts';
import { invalid, type Refusal } from '../refusal.ts';
import { type Header, readHeader } from './front-matter.ts';
import { repositoryName, requirements } from './matching.ts';

export interface Enqueue {
  readonly productId: string;
  readonly id: string;
  readonly bodyMd: string;
  /** Absent: as the front matter says. */
  readonly priority?: number | undefined;
  /** On top of what the front matter says and implies. */
  readonly requires?: readonly string[] | undefined;
}

/** Bytes of a whole job, front matter included. */
export const LONGEST_BODY = 1024 * 1024;

export type NewJob = Omit<JobRecord, 'seq'>;

/**
 * @returns the job as if nothing that it waits for had shipped, or why it is none. A front matter that cannot be read
 * is turned away here: its job would only be claimed to be reported as blocked.
 */
export function newJob(given: Enqueue, now: number): NewJob | Refusal {
  const { productId, id, bodyMd } = given;
  if (Buffer.byteLength(bodyMd) > LONGEST_BODY) return invalid('bodyMd: expected at most 1 MiB.');
  const header = readHeader(bodyMd);
  if (typeof header === 'string') return invalid(`bodyMd: ${header}`);
  return {
    productId,
    id,
    stage: 'queued',
    epoch: 0,
    factoryId: null,
    held: false,
    leaseExpiresAt: null,
    priority: given.priority ?? header.priority,
    requires: requirements(given.requires ?? [], header.requires, implied(header)),
    waitsFor: [...new Set(header.needs)].filter((need) => need !== id),
    retries: header.retries,
    enqueuedAt: now,
    queuedAt: now,
    notBefore: now,
    attempts: 0,
    failures: 0,
    checkpoint: null,
    lastWrite: null,
    reason: null,
    events: 1,
  };
}

/** What the front matter asks for without saying `requires`. */
function implied({ engine, repo }: Header): string[] {
  return [
    ...(engine === undefined ? [] : [`engine:${engine}`]),
    ...(repo === undefined ? [] : [`repo:${repositoryName(repo)}`]),
  ];
}
