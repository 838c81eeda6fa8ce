import { execFile } from 'node:child_process';

/** What a system program printed, whatever its exit code; empty when it could not be started. */
export function readCommand(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const options = { env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024, windowsHide: true };
  return new Promise((resolve) => {
    execFile(file, args, options, (_error, stdout) => resolve(stdout));
  });
}
