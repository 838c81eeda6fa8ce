import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/** A supervisor that waits for its order. */
export interface Spare {
  /** Where it reads its order. */
  readonly stdin: Writable;
  /** Resolves when it has exited, or could not be started, with words that say how. */
  readonly gone: Promise<string>;
}

/** How a supervisor is started. */
export interface SupervisorProgram {
  /** The executable: Node, or an Electron that runs as Node. */
  readonly node: string;
  readonly scriptPath: string;
}

/** What the supervisor and the system's programs that it asks need of the environment; nothing in it is secret. */
const PASSED_ON = ['PATH', 'Path', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'windir', 'LD_LIBRARY_PATH'];

/** The whole environment of a supervisor, made from that of its starter. It is not handed on to commands. */
export function supervisorEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const passed = PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return { ...Object.fromEntries(passed), ELECTRON_RUN_AS_NODE: '1' };
}

/** Starts a supervisor that belongs to no terminal and keeps nobody from exiting. */
export function startSpare({ node, scriptPath }: SupervisorProgram, env: NodeJS.ProcessEnv): Spare {
  const child = spawn(node, [scriptPath], {
    env: supervisorEnvironment(env),
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    windowsHide: true,
  });
  const gone = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  child.unref();
  // It may die before it reads; `gone` says so.
  child.stdin.on('error', () => undefined);
  (child.stdin as Partial<{ unref(): void }>).unref?.();
  return { stdin: child.stdin, gone };
}
