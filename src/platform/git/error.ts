import { UserError } from '../errors.ts';

/** A git command that failed. Its texts hold no credentials. */
export class GitError extends Error {
  override readonly name = 'GitError';
  /** The arguments after our own settings, e.g. `['merge', '--ff-only', …]`. */
  readonly args: readonly string[];
  readonly exitCode: number;
  /** What git said, in English (LC_ALL=C). */
  readonly stderr: string;

  constructor(args: readonly string[], exitCode: number, stderr: string) {
    const said = redactUrls(stderr.trim());
    super(
      `git ${redactUrls(args.join(' '))} failed (exit code ${exitCode})${said === '' ? '' : `: ${said}`}`,
    );
    this.args = args.map(redactUrls);
    this.exitCode = exitCode;
    this.stderr = said;
  }
}

/** Removes `user:password@` and tokens from the URLs in a text. */
export function redactUrls(text: string): string {
  return text.replace(/(\w[\w+.-]*:\/\/)[^\s/@]*(?:@[^\s/@]*)*@/g, '$1');
}

/** The faults of the machine, not of the command, that any git call can meet; undefined for all others. */
export function machineFault(stderr: string): UserError | undefined {
  if (/No space left on device|Disk quota exceeded/i.test(stderr)) {
    return new UserError(
      'disk-full',
      'Git could not write because the disk is full. Nothing that was there before has been changed.',
      'Free some space, then retry.',
    );
  }
  if (/Read-only file system/i.test(stderr)) {
    return new UserError(
      'disk-read-only',
      'Git could not write because the file system is read-only. Nothing has been changed.',
      'Make the file system writable, then retry.',
    );
  }
  const untrusted = /detected dubious ownership in repository at '(.+)'/.exec(stderr)?.[1];
  if (untrusted !== undefined) {
    return new UserError(
      'repository-not-trusted',
      `Git refuses to work in ${untrusted} because it belongs to another user. Nothing has been changed.`,
      `If you trust it, run: git config --global --add safe.directory '${untrusted}'`,
    );
  }
  return undefined;
}
