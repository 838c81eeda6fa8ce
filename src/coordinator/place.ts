/**
 * Where the coordinator of a home keeps its things, and which process it is: one per home, known to every window and
 * to `aq`. Reads files only, so that whoever looks loads nothing of the coordinator.
 */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod/mini';
import { readIfThere, writeDurable } from '../platform/files.ts';
import { identityOf, isAlive } from '../platform/processes/table.ts';

const placeSchema = z.object({
  version: z.literal(1),
  pid: z.number(),
  startTime: z.string(),
  api: z.string(),
  tokenFile: z.string(),
});

/** A coordinator that runs. */
export interface RunningCoordinator {
  readonly pid: number;
  /** What factories are given as their address, e.g. `http://127.0.0.1:4003/api`. */
  readonly api: string;
  /** Holds the admin token. */
  readonly tokenFile: string;
}

/** The folder of the coordinator in a home. */
export function coordinatorFolder(home: string): string {
  return path.join(home, 'coordinator');
}

export function databaseFile(home: string): string {
  return path.join(coordinatorFolder(home), 'coordinator.db');
}

export function adminTokenFile(home: string): string {
  return path.join(coordinatorFolder(home), 'admin.token');
}

/** What a coordinator that was started by the palette prints. */
export function coordinatorLog(home: string): string {
  return path.join(coordinatorFolder(home), 'coordinator.log');
}

function placeFile(home: string): string {
  return path.join(coordinatorFolder(home), 'coordinator.json');
}

export async function makeCoordinatorFolder(home: string): Promise<void> {
  await mkdir(coordinatorFolder(home), { recursive: true, mode: 0o700 });
}

/** The coordinator of this home, if its process still runs. */
export async function runningCoordinator(home: string): Promise<RunningCoordinator | undefined> {
  const read = placeSchema.safeParse(parse(await readIfThere(placeFile(home))));
  if (!read.success) return undefined;
  const { pid, startTime, api, tokenFile } = read.data;
  return (await isAlive({ pid, startTime })) ? { pid, api, tokenFile } : undefined;
}

/** This process is the coordinator of the home from now on. */
export async function announceCoordinator(
  home: string,
  { api, tokenFile }: Pick<RunningCoordinator, 'api' | 'tokenFile'>,
): Promise<void> {
  const identity = await identityOf(process.pid);
  const place = { version: 1, pid: process.pid, startTime: identity?.startTime ?? '', api, tokenFile };
  await writeDurable(placeFile(home), `${JSON.stringify(place)}\n`);
}

export function withdrawCoordinator(home: string): Promise<void> {
  return rm(placeFile(home), { force: true });
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}
