/**
 * An error that is shown to a person as it is: a sentence that says what happened and what is safe, and one
 * next action. Everything that is not a UserError is a fault of ours and goes to the log with its stack.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** One word or two for programs and tests, e.g. `base-not-found`. Stable. */
  readonly code: string;
  /** What the person does next, as an imperative sentence. */
  readonly action: string;

  constructor(code: string, message: string, action: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.action = action;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const DISK_TROUBLE = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'disk-full', 'disk-read-only']);

/** Whether a disk has no room or takes no writes, as Node or git tell it: nothing is lost by waiting for it. */
export function isDiskTrouble(error: unknown): boolean {
  return DISK_TROUBLE.has(errnoOf(error) ?? '');
}

/** Node's error code (`ENOENT`, …) of anything that was thrown, if it has one. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
