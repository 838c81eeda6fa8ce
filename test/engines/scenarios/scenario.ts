/** What every scenario of the kit is, and what they have in common. */
import assert from 'node:assert/strict';
import { SECOND } from '../../../src/platform/clock.ts';
import type { EngineDescriptor } from '../../../src/runner/engines/descriptor.ts';
import type { JobState } from '../../../src/runner/job/state.ts';
import type { Stage } from '../../../src/runner/stages.ts';
import { sessionSaid } from '../../../src/runner/steps/said.ts';
import type { Call, Seat } from '../seat.ts';
import { INPUT_TOKENS, OUTPUT_TOKENS, type Turn } from '../services/dialect.ts';
import { openStation, type Script, type Station, type StationOptions } from '../station.ts';

export const SCENARIOS_IN_ORDER = [
  'answers',
  'edits',
  'asks permission',
  'own rules',
  'two at once',
  '429',
  '500',
  '401',
  'no login',
  'silence',
  'garbage',
  'cut stream',
  'killed',
  'resumed',
  'time limit',
  'cancelled',
  'lingers',
  '1 MiB prompt',
  'quotes, dash',
  'invalid bytes',
  'as root',
] as const;
export type ScenarioName = (typeof SCENARIOS_IN_ORDER)[number];

export interface Bench {
  readonly seat: Seat;
  readonly descriptor: EngineDescriptor;
  readonly program: string;
  /** How long (ms) this engine takes here for the shortest job: all time limits follow from it. */
  readonly pace: number;
  /** Keeps what the engine has printed for this job as a recording, if the kit is asked to record. */
  record(station: Station, id: string): Promise<void>;
}

export interface Scenario {
  readonly name: ScenarioName;
  /** What is looked at, for the legend. */
  readonly title: string;
  /** Throws when the engine, or what we make of it, does not conform. May return a remark. */
  run(bench: Bench): Promise<string | undefined>;
}

export const ANSWER = 'All is done as you asked.';
export const FILE = 'note.txt';
export const CONTENT = 'written by the engine';

/** The stages in which a job is at rest. */
const AT_REST: readonly Stage[] = ['review', 'failed', 'blocked', 'dead_letter'];

export function open(
  { seat, program }: Bench,
  script: Script,
  more: Partial<StationOptions> = {},
): Promise<Station> {
  return openStation({ seat, program, script, ...more });
}

/** Calls the tools one after the other, then does `last`. Side requests, which offer no tools, are answered. */
export function calls(
  make: (cwd: string) => readonly Call[],
  last: Turn = { kind: 'answer', text: ANSWER },
): Script {
  return (request, cwd) => {
    if (request.tools.length === 0) return { kind: 'answer', text: 'A title' };
    return make(cwd)[request.toolResults] ?? last;
  };
}

/** A time limit for a job that will not end by itself, long enough for it to begin. */
export function limit({ pace }: Bench): string {
  return `${Math.ceil((2 * pace) / SECOND + 4)}s`;
}

/** How long (ms) to wait for what should come. */
export function patience({ pace }: Bench): number {
  return 180 * SECOND + 10 * pace;
}

/** The job, once it waits for a person or has come to its end. */
export function atRest(bench: Bench, station: Station, id: string): Promise<JobState> {
  return station.until(id, ({ stage }) => AT_REST.includes(stage), patience(bench));
}

/** Resolves when the service has been asked a question that `is` holds of. */
export async function asked(
  bench: Bench,
  station: Station,
  is: (request: { toolResults: number }) => boolean = () => true,
): Promise<void> {
  const until = performance.now() + patience(bench);
  while (!station.service.asked.some((request) => request.tools.length > 0 && is(request))) {
    if (performance.now() > until) throw new Error('the model was never asked');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function assertSuccess(state: JobState): void {
  assert.equal(state.stage, 'review', state.reason?.text);
  assert.equal(state.result?.summary, ANSWER);
}

export function assertFailure(state: JobState, stage: Stage, code: string, text: RegExp): void {
  assert.equal(`${state.stage}, ${state.reason?.code}`, `${stage}, ${code}`, state.reason?.text);
  assert.match(state.reason?.text ?? '', text);
  assert.match(state.reason?.action ?? '', /\w/, 'no next action is said');
}

/** What has to hold whatever became of the job. */
export async function assertClean(bench: Bench, station: Station, id: string): Promise<void> {
  const state = await station.state(id);
  assert.deepEqual(await station.left(), [], 'processes are left');
  assert.match(state?.result?.wipCommit ?? '', /^[0-9a-f]{40}$/, 'there is no checkpoint');
  const { session } = await sessionSaid(await station.run(id), bench.descriptor.events);
  if (bench.descriptor.session === 'given') assert.match(state?.session ?? '', /^[\da-f-]{36}$/);
  if (session !== undefined)
    assert.equal(state?.session, session, 'not the session that the engine has told');
  assert.ok((state?.usage?.durationMs ?? 0) > 0, 'its duration is not known');
}

/** Tokens and cost, where the engine tells them. */
export function assertUsage({ seat }: Bench, { usage }: JobState, questions: number): void {
  const { costUsd = 0, inputTokens, outputTokens } = usage ?? {};
  if (seat.tells.tokens) {
    const expected = [questions * INPUT_TOKENS, questions * OUTPUT_TOKENS];
    assert.deepEqual([inputTokens, outputTokens], expected, 'tokens');
  }
  if (seat.tells.costUsd) assert.ok(costUsd > 0 && costUsd < 1, `it cost ${costUsd} USD`);
}
