/** What the engine is given to read, as a file: never an argument, because other people of the machine can read those. */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../platform/errors.ts';
import { SHELL_ENGINE } from '../engines/builtin.ts';
import { commandFor } from '../engines/command.ts';
import type { EngineDescriptor } from '../engines/descriptor.ts';
import { findEngine } from '../engines/detect.ts';
import { engineEnvironment, secretsOf } from '../engines/environment.ts';
import { type Executable, thisPlace } from '../engines/executable.ts';
import { findShell, shellScript } from '../engines/shell.ts';
import type { JobState, Place } from '../job/state.ts';
import type { ReadJob } from '../work.ts';
import type { CommandOrder } from './run-command.ts';
import type { Workshop } from './workshop.ts';

/** An engine gets this long (ms) to exit after its final event, where its descriptor does not say. */
const LINGER = 10_000;

export interface EngineRun {
  readonly order: CommandOrder;
  /** The session that this run goes by from now on, where it is we who name it. */
  readonly session?: string;
}

/** The command line of an engine run, with the prompt written beside its log. */
export async function engineOrder(options: {
  shop: Workshop;
  state: JobState;
  place: Place;
  job: ReadJob;
  descriptor: EngineDescriptor;
  resume: boolean;
  dir: string;
}): Promise<EngineRun> {
  const { shop, state, place, job, descriptor, resume, dir } = options;
  const { text, executable } = promptAndProgram(options);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const promptFile = path.join(dir, descriptor.name === SHELL_ENGINE ? 'script.sh' : 'prompt.md');
  await writeFile(promptFile, text, { mode: 0o600 });
  const session = resume ? state.session : descriptor.session === 'given' ? randomUUID() : undefined;
  const command = commandFor({
    descriptor,
    executable,
    cwd: place.cwd,
    promptFile,
    sessionId: session,
    resume,
    yolo: job.manifest.yolo,
    root: process.getuid?.() === 0,
    env: engineEnvironment(shop.env, descriptor),
  });
  return {
    order: {
      command: command.command,
      args: command.args,
      cwd: place.cwd,
      env: engineEnvironment(shop.env, descriptor, { ...command.env, AQ_JOB_ID: state.id }),
      stdin: command.stdin,
      timeoutMs: job.manifest.timeoutMs,
      events: descriptor.events ?? null,
      lingerMs: descriptor.lingerMs ?? LINGER,
      secrets: secretsOf(shop.env),
    },
    ...(session !== undefined && { session }),
  };
}

function promptAndProgram(options: {
  state: JobState;
  job: ReadJob;
  descriptor: EngineDescriptor;
  resume: boolean;
}): { text: string; executable: Executable } {
  const { state, job, descriptor, resume } = options;
  if (descriptor.name === SHELL_ENGINE) {
    const script = shellScript(job.body);
    return { text: script.text, executable: findShell(script) };
  }
  const executable = findEngine(descriptor, thisPlace());
  if (executable === undefined) {
    throw new UserError(
      'engine-missing',
      `${descriptor.label} is no longer installed. Nothing was run.`,
      'Install it again, then retry the job.',
    );
  }
  return { text: promptText(job.body, state, resume), executable };
}

/** The prompt: the job's body and what a person has commented since; to a session that goes on, only what is new. */
export function promptText(body: string, state: Pick<JobState, 'comments'>, resume: boolean): string {
  const comments = (state.comments ?? []).filter(({ done }) => !done).map(({ text }) => text);
  if (resume)
    return comments.length > 0
      ? comments.join('\n\n')
      : 'Your work was interrupted. Go on where you were, and finish the task.';
  if (comments.length === 0) return body;
  return [body.trimEnd(), 'The work so far was reviewed. Address these comments:', ...comments].join('\n\n');
}
