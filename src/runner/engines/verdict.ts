/**
 * Done is not exit 0 (runner.md, "Life of a job", 3). Says of a run that has ended whether it succeeded, and if
 * not, why, in words for a person. Pure.
 */
import { stripVTControlCharacters } from 'node:util';
import type { RunEnd } from '../supervisor/contract.ts';
import { SHELL_ENGINE } from './builtin.ts';
import type { EngineDescriptor, FailureCode } from './descriptor.ts';
import { actionFor, failureOf, failureOfStatus, isRetryable } from './failures.ts';
import { limitLiftedIn } from './limits.ts';

export interface Run {
  readonly descriptor: EngineDescriptor;
  readonly end: RunEnd;
  readonly result: { readonly changed: boolean };
  /** The last lines of engine.log. Engines that fail before their first event say why only there. */
  readonly logTail?: string;
}

export type Verdict =
  | {
      readonly ok: true;
      /** The final answer, shortened; or what can be said without one. */
      readonly summary: string;
    }
  | {
      readonly ok: false;
      readonly code: FailureCode;
      /** A sentence. May quote the engine's error text, never the prompt. */
      readonly reason: string;
      /** What the person does next. */
      readonly action: string;
      /** The same job may be run again as it is. */
      readonly retryable: boolean;
      /** Milliseconds after the run's end before which a retry is in vain, where the engine has said so. */
      readonly retryAfter?: number;
    };

const MAX_QUOTE = 300;
const MAX_SUMMARY = 2000;
const TAIL_LINES = 40;

/** Success or failure of a run. */
export function judge(run: Run): Verdict {
  const { descriptor, end } = run;
  const { digest } = end;
  const name = descriptor.label;
  if (end.endedBy === 'spawn-error') return failure(run, 'spawn', spawnReason(run));
  if (end.endedBy === 'stop') {
    return end.stopReason === 'shutdown'
      ? failure(run, 'interrupted', `${name} was stopped because Agent Queue shut down.`)
      : failure(
          run,
          'cancelled',
          end.stopReason === 'revoked'
            ? `${name} was stopped because the job was withdrawn.`
            : `${name} was stopped as you asked.`,
        );
  }
  // What an engine says when it is interrupted, a final event too, is no verdict on its work.
  if (end.endedBy === 'timeout') {
    return failure(run, 'timeout', `${name} was ended because it reached the job's time limit.`);
  }
  if (descriptor.name === SHELL_ENGINE) return judgeScript(run);
  if (digest.failed) return told(run, digest.error, `${name} reported that it failed`);
  if (end.endedBy === 'itself' && end.exitCode !== 0) return badExit(run);
  if (descriptor.events === undefined) return judgeText(run);
  if (!digest.final) {
    return told(run, errorLine(run), `${name} ended without saying that it had finished`, 'no-final-event');
  }
  return withResult(run);
}

/** It has done without, and may say that all is done: a person should know. */
function notAllowed(denied: string): string {
  return `It was not allowed to use ${oneLine(denied)}: the job does not say \`yolo: true\`, or its own rules forbid it.`;
}

function judgeScript(run: Run): Verdict {
  const { exitCode, signal } = run.end;
  if (exitCode === 0) return { ok: true, summary: 'The script ended with exit status 0.' };
  return exitCode === null
    ? failure(run, 'interrupted', `The script was ended from outside, by ${signal ?? 'an unknown signal'}.`)
    : failure(run, 'failed', `The script ended with exit status ${exitCode}.`);
}

function badExit(run: Run): Verdict {
  const { exitCode, signal, digest } = run.end;
  const name = run.descriptor.label;
  if (exitCode === null) {
    return failure(
      run,
      'interrupted',
      `${name} was ended from outside, by ${signal ?? 'an unknown signal'}.`,
    );
  }
  const known = run.descriptor.exitCodes?.[exitCode];
  const said = digest.error ?? errorLine(run) ?? lastLine(run);
  if (known !== undefined && failureIn(run, said) !== 'no-session')
    return failure(run, known.code, sentence(`${name} ended because ${known.meaning}`, said));
  const opening = digest.final
    ? `${name} said that it had finished, but ended with exit status ${exitCode}`
    : `${name} ended with exit status ${exitCode}`;
  return told(run, said, opening);
}

/** Without events there is only the text to go by; it is not searched for failures once files have changed. */
function judgeText(run: Run): Verdict {
  const said = errorLine(run);
  const code = said === undefined || run.result.changed ? undefined : failureOf(run.descriptor, said);
  if (code !== undefined) return told(run, said, `${run.descriptor.label} ended without a change`);
  return withResult(run);
}

function withResult(run: Run): Verdict {
  const text = run.end.digest.text?.trim() ?? '';
  if (text === '' && !run.result.changed) {
    return failure(
      run,
      'no-result',
      `${run.descriptor.label} said that it had finished, but changed nothing and gave no answer.`,
    );
  }
  const tail = run.descriptor.events === undefined;
  const summary = tail ? text.slice(-MAX_SUMMARY) : text.slice(0, MAX_SUMMARY);
  const said = text === '' ? 'Changed files, and gave no answer.' : summary.toWellFormed();
  const { denied } = run.end.digest;
  return { ok: true, summary: denied === undefined ? said : `${notAllowed(denied)}\n\n${said}` };
}

/** A failure whose kind is known only from what the engine said. */
function told(
  run: Run,
  said: string | undefined,
  opening: string,
  otherwise: FailureCode = 'failed',
): Verdict {
  const code =
    failureOfStatus(run.end.digest.status) ?? failureIn(run, said) ?? limited(run.end) ?? otherwise;
  return failure(run, code, sentence(opening, said));
}

function failureIn(run: Run, said: string | undefined): FailureCode | undefined {
  return said === undefined ? undefined : failureOf(run.descriptor, said);
}

/** A limit that is lifted only later than it ended. One that shows another refusal went on at extra cost, and failed over that. */
function limited({ digest, endedAt }: RunEnd): FailureCode | undefined {
  const { limitedUntil: until, status } = digest;
  return status === undefined && until !== undefined && until * 1000 > endedAt ? 'rate-limit' : undefined;
}

function failure(run: Run, code: FailureCode, reason: string): Verdict {
  const retryAfter = code === 'rate-limit' ? delay(run.end, reason) : undefined;
  return {
    ok: false,
    code,
    reason,
    action: actionFor(run.descriptor, code),
    retryable: isRetryable(code),
    ...(retryAfter !== undefined && { retryAfter }),
  };
}

function delay({ digest, endedAt }: RunEnd, reason: string): number | undefined {
  const until = digest.limitedUntil;
  if (until !== undefined) return Math.max(0, until * 1000 - endedAt);
  return limitLiftedIn(digest.error ?? reason, endedAt);
}

function spawnReason(run: Run): string {
  const name = run.descriptor.label;
  switch (run.end.spawnError) {
    case 'ENOENT':
      return `${name} could not be started: its program, or the folder to work in, is not there any more.`;
    case 'EACCES':
      return `${name} could not be started: the system does not allow its program to be run.`;
    default:
      return `${name} could not be started (${run.end.spawnError ?? 'no reason given'}).`;
  }
}

function sentence(opening: string, said: string | undefined): string {
  const quote = said === undefined ? '' : oneLine(said);
  return quote === '' ? `${opening}.` : `${opening}: ${quote}`;
}

function oneLine(text: string): string {
  const line = stripVTControlCharacters(text).replace(/\s+/g, ' ').trim();
  return line.length > MAX_QUOTE ? `${line.slice(0, MAX_QUOTE - 1).toWellFormed()}…` : line;
}

/** The last line of plain output that speaks of an error. */
function errorLine(run: Run): string | undefined {
  return plainLines(run).findLast(
    (line) => SPEAKS_OF_ERROR.test(line) || failureOf(run.descriptor, line) !== undefined,
  );
}

/** The last thing that an engine which speaks in events has said beside them: for people, so most likely why it went. */
function lastLine(run: Run): string | undefined {
  return run.descriptor.events === undefined ? undefined : plainLines(run).at(-1);
}

/** The last lines of plain output. Events are left out: they may repeat the prompt. */
function plainLines(run: Run): string[] {
  const text = run.logTail ?? (run.descriptor.events === undefined ? run.end.digest.text : undefined) ?? '';
  return stripVTControlCharacters(text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('{'))
    .slice(-TAIL_LINES);
}

const SPEAKS_OF_ERROR =
  /\b(error|fail(ed|ure)?|fatal|denied|refused|invalid|unable|cannot|can't|could not|not found|not allowed|panic|exception)\b/i;
