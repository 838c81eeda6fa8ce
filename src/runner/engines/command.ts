/** The command line of one engine run. Pure: what is found on disk comes in, nothing is started. */
import { UserError } from '../../platform/errors.ts';
import type { EngineDescriptor } from './descriptor.ts';
import type { Executable } from './executable.ts';
import { actionFor } from './failures.ts';

export interface CommandRequest {
  readonly descriptor: EngineDescriptor;
  readonly executable: Executable;
  readonly cwd: string;
  /** The file that holds the prompt (for `shell`: the script). */
  readonly promptFile: string;
  /** For a new session a fresh UUID, where we name it; for a resumed one its id. */
  readonly sessionId?: string | undefined;
  readonly resume: boolean;
  readonly yolo: boolean;
  /** This process runs as root. */
  readonly root?: boolean;
  /** What the engine will see of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface EngineCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** The file to give as standard input; null for an empty one. */
  readonly stdin: string | null;
  /** Environment that belongs to this command line; goes over what `engineEnvironment` gives. */
  readonly env: Readonly<Record<string, string>>;
}

/** Whether the engine can go on with a session of this id, rather than start afresh with the whole story. */
export function canResume(descriptor: EngineDescriptor, sessionId: string | undefined): sessionId is string {
  return descriptor.resumeArgs !== undefined && sessionId !== undefined && sessionId !== '';
}

/**
 * How the engine is started. The prompt is never an argument: other people of the machine can read those.
 * @throws UserError `root` where the engine is known to refuse `yolo` for root; an ordinary error when the session's
 * id is missing, or the session can't be resumed (ask `canResume` first).
 */
export function commandFor(request: CommandRequest): EngineCommand {
  const { descriptor, executable, yolo } = request;
  if (yolo && request.root && refusesRoot(descriptor, request.env ?? {})) {
    throw new UserError(
      'root',
      `${descriptor.label} refuses to act without asking when it runs as root. Nothing was started.`,
      actionFor(descriptor, 'root'),
    );
  }
  if (request.resume && !canResume(descriptor, request.sessionId)) {
    throw new Error(`${descriptor.name} cannot resume a session`);
  }
  const template = request.resume ? (descriptor.resumeArgs ?? []) : descriptor.args;
  const all = yolo ? [...template, ...(descriptor.yoloArgs ?? [])] : template;
  return {
    command: executable.command,
    args: [...executable.args, ...all.map((argument) => fill(argument, request))],
    stdin: descriptor.prompt === 'stdin' ? request.promptFile : null,
    env: { ...(yolo ? descriptor.yoloEnv : descriptor.carefulEnv) },
  };
}

function refusesRoot(descriptor: EngineDescriptor, env: Readonly<Record<string, string>>): boolean {
  const allowing = Object.entries(descriptor.rootAllowedWith ?? {});
  return descriptor.yoloRefusedForRoot === true && !allowing.some(([name, value]) => env[name] === value);
}

function fill(argument: string, request: CommandRequest): string {
  return argument.replace(/\{(cwd|promptFile|sessionId|yolo)\}/g, (_, name: string) => {
    if (name === 'cwd') return request.cwd;
    if (name === 'promptFile') return request.promptFile;
    if (name === 'yolo') return String(request.yolo);
    if (!request.sessionId) throw new Error(`${request.descriptor.name} needs the id of its session`);
    return request.sessionId;
  });
}
