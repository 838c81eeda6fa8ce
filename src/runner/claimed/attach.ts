/** What a fleet may ask of the runner that it is attached to (hooks.ts, AttachedRunner). */
import { errnoOf, isDiskTrouble, messageOf, UserError } from '../../platform/errors.ts';
import { DISK_RETRY } from '../drive.ts';
import type { AttachedRunner, Capacity, Checkpoint, ClaimedJob, Holding, Revocation } from '../hooks.ts';
import { revoked } from '../job/moves.ts';
import { admitted } from '../quarantine/admit.ts';
import type { Runner } from '../runner.ts';
import { machineShortages } from '../shortages.ts';
import { mayFollow, type Stage } from '../stages.ts';
import { inTurn } from '../turns.ts';
import { Stopped } from '../work.ts';
import { pushCheckpoint } from '../workspace/remote-checkpoint.ts';
import { holdingOf, holdingsOf, materialise } from './materialise.ts';
import { transitionOf } from './told.ts';

/** A fleet that cannot be had keeps no local job from running; what was claimed is then held. */
export async function attachFleet(runner: Runner): Promise<void> {
  const { hooks, store, log } = runner.options;
  try {
    await hooks.attach(new FleetSide(runner), await holdingsOf(store));
  } catch (error) {
    log.error(`Fleet: ${messageOf(error)}. Local jobs run as ever; claimed ones wait.`);
  }
}

class FleetSide implements AttachedRunner {
  readonly #runner: Runner;

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  async materialise(job: ClaimedJob): Promise<{ id: string; stage: string }> {
    const { store, clock } = this.#runner.options;
    const { id, made } = await materialise(store, job, clock.now(), (known) => this.#runner.has(known));
    if (made === undefined) return { id, stage: (await this.#stageOf(id)) ?? 'assigned' };
    this.#runner.begin(made);
    return { id, stage: 'assigned' };
  }

  async standing(id: string): Promise<Holding | undefined> {
    const { store } = this.#runner.options;
    const stage = await this.#stageOf(id);
    const state = await store.readState(id);
    return stage === undefined || state?.claim === undefined
      ? undefined
      : holdingOf(state, state.claim, stage);
  }

  /** Of a job in work no file may be seen for a moment, because it goes from stage to stage meanwhile. */
  async #stageOf(id: string): Promise<Stage | undefined> {
    const { store } = this.#runner.options;
    return (await store.locate(id)) ?? this.#runner.active(id)?.state.stage;
  }

  revoked(id: string, why: Revocation): Promise<void> {
    return this.#runner.seeTo(this.#revoked(id, why));
  }

  async #revoked(id: string, why: Revocation): Promise<void> {
    const { stopped } = this.#runner;
    const { store, clock, log } = this.#runner.options;
    // What runs is killed at once, whoever's turn it is.
    await this.#runner.end(id, new Stopped('revoked', why));
    for (;;) {
      try {
        return await inTurn(store.layout.run(id), () => this.#takeAway(id, why));
      } catch (error) {
        // A runner that stops leaves it where it is; the next one is told of its epoch again.
        if (!isDiskTrouble(error) || stopped.aborted) throw error;
        log.warn(
          `${id}: the disk takes no writes (${messageOf(error)}); it is taken away when there is room.`,
        );
        await clock.sleep(DISK_RETRY, stopped).catch(() => undefined);
      }
    }
  }

  /** Moves the job away from wherever it waits; a person's word may have put it into work again a moment ago. */
  async #takeAway(id: string, why: Revocation): Promise<void> {
    const { store, clock, hooks, changed, workshop } = this.#runner.options;
    await this.#runner.end(id, new Stopped('revoked', why));
    const stage = await store.locate(id);
    if (stage === undefined || !mayFollow(stage, 'quarantine')) return;
    const state = await store.readState(id);
    if (state === undefined) return;
    const decided = revoked({ ...state, stage }, why, clock.now());
    const next = decided.stage === 'quarantine' ? await admitted(workshop, decided) : decided;
    try {
      await store.transition(next, stage);
    } catch (error) {
      // A runner that has just started took it into work a moment ago, and that has moved it.
      if (errnoOf(error) !== 'ENOENT' || (await store.locate(id)) === stage) throw error;
      return this.#takeAway(id, why);
    }
    await hooks.transition(transitionOf(next, stage));
    changed();
  }

  async shipHeld(id: string): Promise<void> {
    const { store } = this.#runner.options;
    // The try that was held may just be coming to rest: while it is in work it could not be taken up.
    await this.#runner.settled(id);
    await inTurn(store.layout.run(id), async () => {
      if ((await store.locate(id)) === 'testing') await this.#runner.takeUp(id, 'testing', { ship: true });
    });
  }

  async pushCheckpoint(id: string, checkpoint: Checkpoint, signal: AbortSignal): Promise<void> {
    const { store, workshop } = this.#runner.options;
    const { place } = (await store.readState(id)) ?? {};
    // In a person's own checkout the snapshot holds files of theirs that nobody asked to publish.
    if (place?.kind !== 'worktree' || place.repository === undefined) return;
    if (checkpoint.wipCommit === place.base) return;
    const where = { cwd: place.repository.root, target: place.target, signal };
    await pushCheckpoint(workshop.git, checkpoint, where).catch((error: unknown) => {
      if (!(error instanceof UserError && error.code === 'no-remote')) throw error;
    });
  }

  async shortages(): Promise<readonly string[]> {
    const { store, workshop } = this.#runner.options;
    const logins = [...workshop.loggedOut].map((engine) => `${engine} is not logged in`);
    return [...(await machineShortages(store.layout.root)), ...logins];
  }

  capacity(): Capacity {
    const { settings, workshop } = this.#runner.options;
    const held = workshop.spending.hold?.text;
    return { running: this.#runner.running, maxParallel: settings().maxParallel, held };
  }
}
