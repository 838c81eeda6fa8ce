/** A home with results in quarantine: claimed jobs that ran here for real and were then taken away. */

import type { FleetCommand } from '../../../../src/runner/board.ts';
import { localIdOf } from '../../../../src/runner/claimed/materialise.ts';
import type { Factory, FactoryOptions } from '../../../../src/runner/factory.ts';
import {
  type AdoptionWish,
  type AttachedRunner,
  type ClaimPolicy,
  type Holding,
  type Hooks,
  offline,
  type Revocation,
  type Transition,
  type Whereabouts,
} from '../../../../src/runner/hooks.ts';
import { openTestFactory, waitForStage } from '../../support/factory.ts';
import { jobFile, script } from '../../support/job-file.ts';

/** A fleet that allows everything, and says of jobs what the test has told it. */
export class KnowingFleet implements Hooks {
  runner: AttachedRunner | undefined;
  where: Whereabouts | undefined;
  readonly told: Transition[] = [];
  readonly asked: string[] = [];
  readonly policy: ClaimPolicy = { engines: undefined, roots: ['/'], yolo: true, commands: true };
  readonly detach = () => offline.detach();
  readonly claim = (signal: AbortSignal) => offline.claim(signal);
  readonly status = () => [];
  readonly carryOut = (command: FleetCommand) => offline.carryOut(command);
  readonly adopt = (wish: AdoptionWish) => offline.adopt(wish);

  attach(runner: AttachedRunner, _holdings: readonly Holding[]): Promise<void> {
    this.runner = runner;
    return Promise.resolve();
  }
  async transition(transition: Transition): Promise<void> {
    this.told.push(transition);
  }
  permit({ claim }: { claim?: { epoch: number } | undefined }) {
    this.asked.push(`permit ${claim?.epoch}`);
    return Promise.resolve('accepted' as const);
  }
  whereabouts(jobId: string): Promise<Whereabouts | undefined> {
    this.asked.push(`where ${jobId}`);
    return Promise.resolve(this.where);
  }
}

export const STALE: Revocation = {
  code: 'fenced',
  text: 'The job is now under epoch 4, and this laptop had it under epoch 3.',
  facts: { currentEpoch: 4 },
};

export interface Quarantined {
  readonly factory: Factory;
  readonly fleet: KnowingFleet;
  readonly id: string;
}

/** A job of the coordinator's, done here in `repo` by shell `lines`, then taken away in review. */
export async function quarantined(
  home: string,
  repo: string,
  lines: readonly string[],
  options: {
    readonly factory?: Partial<FactoryOptions>;
    readonly why?: Revocation;
    readonly manifest?: Record<string, unknown>;
    readonly where?: Whereabouts;
    readonly jobId?: string;
  } = {},
): Promise<Quarantined> {
  const fleet = new KnowingFleet();
  // The shell engine is none that claimed jobs may use, unless it is named.
  Object.assign(fleet, { policy: { ...fleet.policy, engines: ['shell', 'mine'] } });
  const factory = await openTestFactory(home, { hooks: fleet, ...options.factory });
  await factory.startRunner();
  const id = await quarantineOne({ factory, fleet }, repo, lines, options);
  return { factory, fleet, id };
}

/** One more in the same home. */
export async function quarantineOne(
  { factory, fleet }: Pick<Quarantined, 'factory' | 'fleet'>,
  repo: string,
  lines: readonly string[],
  options: {
    readonly why?: Revocation;
    readonly manifest?: Record<string, unknown>;
    readonly where?: Whereabouts;
    readonly jobId?: string;
  } = {},
): Promise<string> {
  const { jobId = 'Job-7', why = STALE } = options;
  const claim = { jobId, epoch: 3, leaseMs: 900_000 };
  const text = jobFile({ cwd: repo, title: 'Faster imports', body: script(...lines), ...options.manifest });
  fleet.where = options.where;
  await fleet.runner?.materialise({ claim, text });
  const id = localIdOf(claim);
  await waitForStage(factory, id, 'review');
  await fleet.runner?.revoked(id, why);
  await waitForStage(factory, id, 'quarantine');
  return id;
}
