/**
 * The files of a run directory through which a supervisor and its watchers speak (contract.ts). Reading them
 * never throws for what they hold: a crash may have cut one short, or it may not be there yet.
 */
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../platform/errors.ts';
import { readIfThere, writeDurable } from '../../platform/files.ts';
import {
  BEGUN_FILE,
  END_FILE,
  type ProcessIdentity,
  type RunBegun,
  type RunEnd,
  STOP_FILE,
  type StopRequest,
} from './contract.ts';

export type Reading<T> =
  | { readonly state: 'absent' }
  | { readonly state: 'malformed'; readonly reason: string }
  | { readonly state: 'read'; readonly value: T };

/** How the run began. */
export function readBegun(dir: string): Promise<Reading<RunBegun>> {
  return readRecord(path.join(dir, BEGUN_FILE), isBegun);
}

/** How the run ended. */
export function readEnd(dir: string): Promise<Reading<RunEnd>> {
  return readRecord(path.join(dir, END_FILE), isEnd);
}

/** Whether somebody wants the run to end. */
export function readStop(dir: string): Promise<Reading<StopRequest>> {
  return readRecord(path.join(dir, STOP_FILE), isStop);
}

/** Not made durable: a power cut ends the run as well, and a watcher takes a run without it for lost. Throws the system's error. */
export async function writeBegun(dir: string, begun: RunBegun): Promise<void> {
  await replace(path.join(dir, BEGUN_FILE), begun);
}

/** Durable when it returns. Throws the system's error. */
export async function writeEnd(dir: string, end: RunEnd): Promise<void> {
  await writeDurable(path.join(dir, END_FILE), `${JSON.stringify(end)}\n`);
}

/** Asks the supervisor of the run in `dir` to end it. The first reason given stands. Throws the system's error. */
export async function requestStop(dir: string, reason: StopRequest['reason']): Promise<void> {
  if ((await readStop(dir)).state !== 'read') await replace(path.join(dir, STOP_FILE), { reason });
}

async function replace(file: string, value: RunBegun | StopRequest): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
  try {
    await writeFile(temporary, `${JSON.stringify(value)}\n`, { mode: 0o600 });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function readRecord<T>(file: string, is: (value: Fields) => boolean): Promise<Reading<T>> {
  const malformed = (why: string): Reading<T> => ({
    state: 'malformed',
    reason: `${path.basename(file)} ${why}`,
  });
  let value: unknown;
  try {
    const text = await readIfThere(file);
    if (text === undefined) return { state: 'absent' };
    value = JSON.parse(text);
  } catch (error) {
    return malformed(`cannot be read: ${messageOf(error)}`);
  }
  return isFields(value) && is(value)
    ? { state: 'read', value: value as T }
    : malformed('does not hold what it should');
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return isFields(value) && Number.isInteger(value['pid']) && typeof value['startTime'] === 'string';
}

function isBegun(value: Fields): boolean {
  return (
    value['version'] === 1 &&
    typeof value['mark'] === 'string' &&
    isIdentity(value['supervisor']) &&
    (value['child'] === undefined || isIdentity(value['child'])) &&
    typeof value['startedAt'] === 'number'
  );
}

const STOP_REASONS: readonly unknown[] = ['cancel', 'revoked', 'shutdown'] satisfies StopRequest['reason'][];

function isStop(value: Fields): boolean {
  return STOP_REASONS.includes(value['reason']);
}

const ENDED_BY: readonly unknown[] = [
  'itself',
  'timeout',
  'stop',
  'final-event',
  'spawn-error',
] satisfies RunEnd['endedBy'][];

function isEnd(value: Fields): boolean {
  const { exitCode, signal, digest, stopReason } = value as Partial<Record<keyof RunEnd, unknown>>;
  return (
    value['version'] === 1 &&
    ENDED_BY.includes(value['endedBy']) &&
    (exitCode === null || typeof exitCode === 'number') &&
    (signal === null || typeof signal === 'string') &&
    (stopReason === undefined || STOP_REASONS.includes(stopReason)) &&
    ['startedAt', 'endedAt', 'durationMs', 'logBytes', 'survivors'].every(
      (key) => typeof value[key] === 'number',
    ) &&
    isFields(digest) &&
    typeof digest['final'] === 'boolean' &&
    typeof digest['failed'] === 'boolean'
  );
}
