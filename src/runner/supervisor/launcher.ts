/** Hands orders to supervisors. One is always started in advance, so that a run begins without waiting for Node. */
import { SECOND, systemClock } from '../../platform/clock.ts';
import { UserError } from '../../platform/errors.ts';
import { BEGUN_FILE, END_FILE, type RunBegun, type RunOrder } from './contract.ts';
import { lookUntil } from './look.ts';
import { readBegun, readEnd } from './records.ts';
import { type Spare, type SupervisorProgram, startSpare } from './spares.ts';

export interface LauncherOptions extends SupervisorProgram {
  /** The starter's environment, of which a supervisor gets next to nothing. */
  readonly env: NodeJS.ProcessEnv;
}

export interface Launcher {
  /**
   * Starts the order's run. Resolves when its command has started, or when the run is over already, because the
   * command was quick or could not be started (end.json tells). Throws a UserError when no supervisor could be
   * brought to begin; then nothing was started.
   */
  start(order: RunOrder): Promise<RunBegun>;
  /** Ends the waiting supervisor. Runs go on. */
  dispose(): void;
}

export function createLauncher({ env, ...program }: LauncherOptions): Launcher {
  let disposed = false;
  let spare: Spare | undefined;
  const prepare = (): Spare | undefined => {
    if (disposed) return undefined;
    const started = startSpare(program, env);
    const forget = (): void => {
      if (spare === started) spare = undefined;
    };
    void started.gone.then(forget);
    return started;
  };
  spare = prepare();

  return {
    async start(order) {
      let problem = '';
      // The waiting one may have been killed; one that is started for this order is the second and last try.
      for (const candidate of [spare, undefined]) {
        const supervisor = candidate ?? startSpare(program, env);
        spare = undefined;
        supervisor.stdin.end(`${JSON.stringify(order)}\n`);
        const begun = await hasBegun(order, supervisor);
        if (typeof begun !== 'string') {
          spare ??= prepare();
          return begun;
        }
        problem = begun;
      }
      throw new UserError(
        'supervisor',
        `The process that watches over a run could not begin (${problem}). Nothing was started.`,
        'Make sure that the disk is not full, then retry the job.',
      );
    },
    dispose() {
      disposed = true;
      spare?.stdin.end();
      spare = undefined;
    },
  };
}

/** How the run began; in words why it did not. */
async function hasBegun(order: RunOrder, supervisor: Spare): Promise<RunBegun | string> {
  const look = async (): Promise<RunBegun | undefined> => {
    const begun = await readBegun(order.dir);
    if (begun.state !== 'read' || begun.value.mark !== order.mark) return undefined;
    if (begun.value.child !== undefined) return begun.value;
    return (await readEnd(order.dir)).state === 'read' ? begun.value : undefined;
  };
  const gone = new AbortController();
  void supervisor.gone.then((how) => gone.abort(how));
  const options = { names: [BEGUN_FILE, END_FILE], everyMs: SECOND / 4, clock: systemClock };
  try {
    return await lookUntil(order.dir, look, { ...options, signal: gone.signal });
  } catch (reason) {
    if (reason !== gone.signal.reason) throw reason;
    const begun = await readBegun(order.dir);
    if (begun.state === 'read' && begun.value.mark === order.mark) return begun.value;
    return String(reason);
  }
}
