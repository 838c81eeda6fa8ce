/** Our reading of engines, held against what the real programs printed in the kit (recording.ts). Needs none of them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { EngineDescriptor, FailureCode } from '../../src/runner/engines/descriptor.ts';
import { engineCatalog } from '../../src/runner/engines/registry.ts';
import type { Verdict } from '../../src/runner/engines/verdict.ts';
import { makeScratch, run } from '../runner/supervisor/support.ts';
import { PACKAGES } from './programs.ts';
import { digestOf, type Recording, recordings, verdictOf } from './recording.ts';
import { ANSWER } from './scenarios/scenario.ts';
import { SEATS } from './seats/all.ts';
import { INPUT_TOKENS, OUTPUT_TOKENS } from './services/dialect.ts';

/** What a scenario has to come to, whoever does it; written by hand, unlike what the recordings hold. */
const EXPECTED: Readonly<Record<string, { readonly questions: number } | { readonly code: FailureCode }>> = {
  answers: { questions: 1 },
  edits: { questions: 2 },
  '429': { code: 'rate-limit' },
  '500': { code: 'failed' },
  '401': { code: 'login' },
  'no login': { code: 'login' },
  garbage: { code: 'failed' },
  'cut stream': { code: 'failed' },
};
/** What every engine can show. */
const ALWAYS = ['answers', 'edits', 'asks permission', '401', 'no login'];

const { descriptors } = engineCatalog();
const all = recordings();

describe('recordings of real engines', function () {
  this.timeout(20_000);

  for (const { engine } of SEATS) {
    it(`are there of ${engine}, in the version that the kit runs`, () => {
      const own = all.filter(({ heading }) => heading.engine === engine);
      const scenarios = own.map(({ heading }) => heading.scenario);
      assert.deepEqual(
        ALWAYS.filter((name) => !scenarios.includes(name)),
        [],
      );
      const { version } = PACKAGES[engine as keyof typeof PACKAGES];
      assert.deepEqual([...new Set(own.map(({ heading }) => heading.version))], [version]);
    });
  }

  for (const recording of all) {
    const { engine, version, scenario, date } = recording.heading;
    describe(`${engine} ${version}, ${scenario}, of ${date}`, () => {
      const descriptor = descriptors.get(engine) as EngineDescriptor;
      it('come to what the scenario has to come to', () => assertExpected(recording));
      it('are read as they were', () => assertRead(descriptor, recording));
      it('are read so by a real supervisor as well', () => assertSupervised(descriptor, recording));
    });
  }
});

function assertExpected({ heading }: Recording): void {
  const { digest, verdict, scenario } = heading;
  const expected = EXPECTED[scenario];
  const tells = SEATS.find(({ engine }) => engine === heading.engine)?.tells;
  if (expected === undefined || tells === undefined) return;
  if ('code' in expected) {
    assert.deepEqual([verdict.ok, verdict.ok || verdict.code], [false, expected.code]);
    return;
  }
  assert.deepEqual(verdict, { ok: true, summary: ANSWER });
  const tokens = [expected.questions * INPUT_TOKENS, expected.questions * OUTPUT_TOKENS];
  if (tells.tokens) assert.deepEqual([digest.inputTokens, digest.outputTokens], tokens);
  assert.equal((digest.costUsd ?? 0) > 0, tells.costUsd);
  assert.equal(digest.sessionId !== undefined, tells.session);
}

function assertRead(descriptor: EngineDescriptor, { heading, output }: Recording): void {
  const digest = digestOf(descriptor, output);
  assert.deepEqual(digest, heading.digest);
  const end = { ...heading.end, logBytes: output.length, digest };
  const verdict = verdictOf(descriptor, end, output, heading.changed);
  assert.deepEqual(withoutWait(verdict), withoutWait(heading.verdict));
  if (digest.limitedUntil !== undefined) assert.deepEqual(verdict, heading.verdict);
}

/** How long it is to wait follows from when it ended, and, where it tells a local time, from the time zone. */
function withoutWait(verdict: Verdict): Verdict {
  if (verdict.ok) return verdict;
  const { retryAfter: _wait, ...rest } = verdict;
  return rest;
}

async function assertSupervised(descriptor: EngineDescriptor, { heading, output }: Recording): Promise<void> {
  const scratch = await makeScratch();
  try {
    const file = path.join(scratch.dir, 'output');
    writeFileSync(file, output);
    const { endedBy, exitCode } = heading.end;
    const rest = endedBy === 'final-event' ? 'exec sleep 1000' : `exit ${exitCode}`;
    const end = await run(scratch.order(`cat '${file}'; ${rest}`, { events: descriptor.events ?? null }));
    assert.deepEqual([end.endedBy, end.digest], [endedBy, heading.digest]);
    const verdict = verdictOf(descriptor, end, output, heading.changed);
    assert.deepEqual(withoutWait(verdict), withoutWait(heading.verdict));
  } finally {
    await scratch.remove();
  }
}
