/** assigned → building: the manifest checked, the place made ready, `setup` run. */
import { UserError } from '../../platform/errors.ts';
import { mustBeAllowed } from '../claimed/policy.ts';
import { SHELL_ENGINE } from '../engines/builtin.ts';
import type { EngineDescriptor } from '../engines/descriptor.ts';
import { findEngine } from '../engines/detect.ts';
import { engineEnvironment, secretsOf } from '../engines/environment.ts';
import { thisPlace } from '../engines/executable.ts';
import { findShell } from '../engines/shell.ts';
import { afresh, move } from '../job/moves.ts';
import type { JobState, Place } from '../job/state.ts';
import { folderLock } from '../lock-table.ts';
import type { Work } from '../work.ts';
import { setAside } from './kept-work.ts';
import { FolderBusy, findPlace, isThere } from './place.ts';
import { type CommandOrder, logOf, runCommand } from './run-command.ts';
import type { Workshop } from './workshop.ts';

export async function prepare(work: Work, shop: Workshop): Promise<JobState> {
  const { manifest } = await shop.read(work);
  const descriptor = shop.engine(manifest.engine);
  if (work.state.claim !== undefined) {
    const { policy } = shop.hooks;
    if (policy === undefined) return waitingForFleet(work, shop);
    mustBeAllowed(manifest, descriptor.name, policy);
  }
  mustBeInstalled(descriptor);
  work.note({
    ...work.state,
    title: manifest.title,
    engine: descriptor.name,
    priority: manifest.priority,
    tracker: manifest.tracker,
    ...(manifest.lock !== undefined && { locks: [manifest.lock] }),
  });
  if (work.state.startsAnew === true) await startAnew(work, shop);
  const again = work.state.place;
  try {
    if (again !== undefined && (await isThere(again, work.id))) holdFolder(work, shop, again);
    else work.note({ ...work.state, ...(await findPlace(work, shop, manifest)) });
  } catch (error) {
    if (!(error instanceof FolderBusy)) throw error;
    work.folderWanted = error.lock;
    return backToQueue(work.state, error, shop.clock.now());
  }
  const place = work.state.place as Place;
  if (manifest.setup !== undefined && place.ready !== true) {
    const failure = await setup(work, shop, manifest.setup, place, manifest.timeoutMs);
    if (failure !== undefined) return failure;
  }
  return move({ ...work.state, place: { ...place, ready: true } }, 'building', shop.clock.now());
}

/** What claimed jobs may do here is not known, and under what epoch they are the coordinator's to say: the next runner looks again. */
function waitingForFleet(work: Work, shop: Workshop): JobState {
  work.signal.throwIfAborted();
  return move(work.state, 'assigned', shop.clock.now(), {
    code: 'gated',
    text: 'The job was claimed from a fleet, and fleet mode is off: nothing of it is run until it is on again.',
    action: 'Turn fleet mode on (AQ_FLEET=1), or cancel the job.',
  });
}

/** What the failed attempt before did is kept on its ref; in a person's own folder there is nothing to set aside. */
async function startAnew(work: Work, shop: Workshop): Promise<void> {
  const { startsAnew: _, ...state } = work.state;
  if (state.place?.kind !== 'worktree') return work.replace(state);
  await setAside(shop, { ...state, run: state.run - 1 });
  await work.replace(afresh(state));
}

/** Runs one of the job's own shell lines in the place. */
export function shellOrder(shop: Workshop, line: string, cwd: string, timeoutMs: number): CommandOrder {
  const shell = findShell({ bash: false });
  return {
    command: shell.command,
    args: [...shell.args, '-c', line],
    cwd,
    env: engineEnvironment(shop.env, {}),
    stdin: null,
    timeoutMs,
    events: null,
    lingerMs: 0,
    secrets: secretsOf(shop.env),
  };
}

async function setup(
  work: Work,
  shop: Workshop,
  line: string,
  place: Place,
  timeoutMs: number,
): Promise<JobState | undefined> {
  const dir = shop.layout.command(work.id, work.state.run, 'setup');
  const outcome = await runCommand(work, shop, {
    kind: 'setup',
    dir,
    order: () => Promise.resolve(shellOrder(shop, line, place.cwd, timeoutMs)),
  });
  if (!outcome.lost && outcome.end.exitCode === 0) return undefined;
  const how = outcome.lost
    ? 'was cut off'
    : outcome.end.endedBy === 'timeout'
      ? 'reached the time limit of the job'
      : `ended with exit status ${outcome.end.exitCode ?? outcome.end.signal}`;
  return move(work.state, 'failed', shop.clock.now(), {
    code: 'setup',
    text: `\`setup\` ${how}; the engine was not started. The output is in ${logOf(outcome.dir)}.`,
    action: 'Look at the log, mend the command or what it needs, then retry the job.',
  });
}

function mustBeInstalled(descriptor: EngineDescriptor): void {
  if (descriptor.name === SHELL_ENGINE || findEngine(descriptor, thisPlace()) !== undefined) return;
  throw new UserError(
    'engine-missing',
    `${descriptor.label} is not installed: no ${descriptor.executable.join(' or ')} was found on the PATH. Nothing was run.`,
    `${descriptor.install === undefined ? 'Install it' : `Install it (\`${descriptor.install}\`)`}, then retry the job.`,
  );
}

function holdFolder(work: Work, shop: Workshop, place: Place): void {
  if (place.kind === 'worktree') return;
  const lock = folderLock(place.cwd);
  const conflict = shop.locks.take([lock], work.id);
  if (conflict !== undefined) throw new FolderBusy(lock, conflict.holder);
}

/** A job whose folder is taken goes back into the queue, and its attempt does not count. */
function backToQueue(state: JobState, busy: FolderBusy, now: number): JobState {
  const back = move(state, 'queued', now, { code: 'folder-busy', text: busy.message });
  return { ...back, attempt: state.attempt - 1 };
}
