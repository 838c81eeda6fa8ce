/** Ends a command with all that it started, politely first. */
import type { Clock } from '../clock.ts';
import type { EnvironmentMark, ProcessEntry, ProcessIdentity } from './process.ts';
import {
  ancestry,
  descendants,
  isAlive,
  isSame,
  markedProcesses,
  processTable,
  stillAlive,
} from './table.ts';
import { taskkill } from './windows.ts';

/** A polite signal, and how long (ms) they have to go by themselves before the next step. */
export interface GraceStep {
  readonly signal: 'SIGINT' | 'SIGTERM';
  readonly waitMs: number;
}

export interface EndTreeOptions {
  /** The command. It leads a process group of its own. */
  readonly root: ProcessIdentity;
  /**
   * The caller is the root's parent and has only just seen it exit, so its process group, if it has members, is
   * still the root's. Otherwise a group whose leader has gone is not touched: its number may be somebody else's.
   */
  readonly groupIsOurs: boolean;
  /** Borne by all that the root started, also by those that left its tree and its group. */
  readonly mark: EnvironmentMark;
  /** Tried in turn; then SIGKILL, again and again until none is left. */
  readonly steps: readonly GraceStep[];
  readonly clock: Clock;
}

/** How long (ms) we go on killing: a process that outlives this hangs in the kernel, or the system refuses. */
const KILL_FOR = 5_000;
// A look costs microseconds on Linux and a process of its own elsewhere.
const FIRST_LOOK = process.platform === 'linux' ? 2 : 50;
const SLOWEST_LOOK = process.platform === 'linux' ? 50 : 250;

/**
 * Ends the root, its descendants, its group and all that bear the mark. Never signals a pid that has passed to
 * another process, this process, or one that this process descends from. On Windows: the root's tree, at once.
 * Returns those that could not be ended; none, unless the system refused.
 */
export async function endTree(options: EndTreeOptions): Promise<readonly ProcessIdentity[]> {
  if (process.platform === 'win32') return endWindowsTree(options);
  const { clock } = options;
  const tree = new Tree(options);
  for (const { signal, waitMs } of options.steps) {
    if (!(await sendSignal(await tree.members(), signal))) return [];
    await waitUntilGone(tree, clock, waitMs);
  }
  const deadline = clock.monotonic() + KILL_FOR;
  let pause = FIRST_LOOK;
  for (;;) {
    const left = await tree.members();
    if (left.length === 0 || clock.monotonic() > deadline) return left;
    await sendSignal(left, 'SIGKILL');
    await clock.sleep(pause);
    pause = Math.min(pause * 2, SLOWEST_LOOK);
  }
}

/** Finds the members anew each time, and remembers them: one that was a member stays one when its parent has gone. */
class Tree {
  readonly #options: EndTreeOptions;
  #known: readonly ProcessEntry[] = [];
  #groupIsOurs: boolean;

  constructor(options: EndTreeOptions) {
    this.#options = options;
    this.#groupIsOurs = options.groupIsOurs;
  }

  /** All members that run now. None are left when two looks find none: in the midst of an exec, a process shows no mark. */
  async members(): Promise<readonly ProcessEntry[]> {
    const members = await this.#look();
    if (members.length > 0) return members;
    await this.#options.clock.sleep(FIRST_LOOK);
    return this.#look();
  }

  async #look(): Promise<readonly ProcessEntry[]> {
    const { root, mark } = this.#options;
    const table = await processTable();
    const leader = table.find((entry) => entry.pid === root.pid);
    if (leader !== undefined) this.#groupIsOurs = isSame(leader, root);
    // Taken out before anything is derived from them: what else our own ancestors started is not the root's.
    const untouchable = ancestry(table, process.pid).add(0).add(1);
    const certain = [...this.#known, ...(await markedProcesses(mark.name, mark.value)), root];
    const heads = table.filter(
      (entry) =>
        !untouchable.has(entry.pid) &&
        ((this.#groupIsOurs && entry.pgid === root.pid) || certain.some((known) => isSame(entry, known))),
    );
    const below = descendants(
      table,
      heads.map(({ pid }) => pid),
    );
    this.#known = [...heads, ...below].filter(({ pid }) => !untouchable.has(pid));
    return this.#known;
  }

  /** Whether one of those last seen still runs: cheaper than looking for all. */
  async anyKnownLeft(): Promise<boolean> {
    return (await stillAlive(this.#known)).length > 0;
  }
}

/** Resolves once all known members have gone, at the latest after `ms`. */
async function waitUntilGone(tree: Tree, clock: Clock, ms: number): Promise<void> {
  const deadline = clock.monotonic() + ms;
  let pause = FIRST_LOOK;
  while (await tree.anyKnownLeft()) {
    const left = deadline - clock.monotonic();
    if (left <= 0) return;
    await clock.sleep(Math.min(pause, left));
    pause = Math.min(pause * 2, SLOWEST_LOOK);
  }
}

/** Returns whether there was anybody to signal. */
async function sendSignal(members: readonly ProcessEntry[], signal: NodeJS.Signals): Promise<boolean> {
  for (const { pid } of await stillAlive(members)) {
    try {
      process.kill(pid, signal);
    } catch {
      // It went this moment (ESRCH), or it is not ours to signal (EPERM): then it is a survivor.
    }
  }
  return members.length > 0;
}

async function endWindowsTree({ root, clock }: EndTreeOptions): Promise<ProcessIdentity[]> {
  const deadline = clock.monotonic() + KILL_FOR;
  while (await isAlive(root)) {
    if (clock.monotonic() > deadline) return [root];
    await taskkill(root.pid);
  }
  return [];
}
