/** Starting the command of an order. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { errnoOf, messageOf } from '../../platform/errors.ts';
import { identityOf } from '../../platform/processes/table.ts';
import { MARK_VARIABLE, type ProcessIdentity, type RunOrder } from './contract.ts';

export interface Exit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface RunningCommand {
  /** Its start time is unknown (empty) when it was gone before it could be asked for. */
  readonly identity: ProcessIdentity;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The command itself has exited. */
  readonly exited: Promise<Exit>;
  /** Nobody holds its output streams any more, and all of them has been read. */
  readonly closed: Promise<void>;
}

export interface SpawnFailure {
  /** The system's code, e.g. `ENOENT`. */
  readonly spawnError: string;
  /** For the log. */
  readonly explanation: string;
}

/** Starts the command, in a process group of its own where there are groups. Never throws. */
export async function startCommand(order: RunOrder): Promise<RunningCommand | SpawnFailure> {
  let stdin: number | undefined;
  try {
    stdin = order.stdin === null ? undefined : openSync(order.stdin, 'r');
    const child = spawn(order.command, order.args, {
      cwd: order.cwd,
      env: { ...order.env, [MARK_VARIABLE]: order.mark },
      detached: process.platform !== 'win32',
      stdio: [stdin ?? 'ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    const { pid } = child;
    if (pid === undefined) {
      const [error] = (await once(child, 'error')) as [unknown];
      return failure(error, order);
    }
    const ends = observe(child);
    return { identity: (await identityOf(pid)) ?? { pid, startTime: '' }, ...ends };
  } catch (error) {
    return failure(error, order);
  } finally {
    if (stdin !== undefined) closeSync(stdin);
  }
}

function observe(child: ChildProcess): Omit<RunningCommand, 'identity'> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('The command was started without pipes.');
  // A failed kill or read is no news: what counts is that it exits and that its pipes close.
  for (const source of [child, stdout, stderr]) source.on('error', () => undefined);
  return {
    stdout,
    stderr,
    exited: new Promise((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    }),
    closed: new Promise((resolve) => {
      child.once('close', () => resolve());
    }),
  };
}

function failure(error: unknown, order: RunOrder): SpawnFailure {
  const spawnError = errnoOf(error) ?? 'UNKNOWN';
  // The system says ENOENT for a missing working directory just as for a missing program.
  const explanation = existsSync(order.cwd)
    ? messageOf(error)
    : `the working directory ${order.cwd} does not exist`;
  return { spawnError, explanation };
}
