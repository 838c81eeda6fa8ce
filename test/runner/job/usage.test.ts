import assert from 'node:assert/strict';
import { BUILTIN_ENGINES } from '../../../src/runner/engines/builtin.ts';
import type { EngineDescriptor, EventDigest } from '../../../src/runner/engines/descriptor.ts';
import {
  costText,
  dollars,
  sum,
  tokens,
  tokensText,
  UNKNOWN,
  usageOfRun,
  withRun,
} from '../../../src/runner/job/usage.ts';
import type { RunEnd } from '../../../src/runner/supervisor/contract.ts';

const engine = (name: string) => BUILTIN_ENGINES.find((each) => each.name === name) as EngineDescriptor;
const claude = engine('claude');
const codex = engine('codex');

function end(digest: Partial<EventDigest>, more: Partial<RunEnd> = {}): RunEnd {
  return {
    version: 1,
    endedBy: 'itself',
    exitCode: 0,
    signal: null,
    startedAt: 0,
    endedAt: 1000,
    durationMs: 1000,
    logBytes: 0,
    digest: { final: true, failed: false, ...digest },
    survivors: 0,
    ...more,
  };
}

describe('what two runs have used', () => {
  it('is the sum of what is known, and a lower bound where one of them does not tell', () => {
    assert.deepEqual(sum({ costUsd: 0.5, durationMs: 1 }, { costUsd: 0.25, durationMs: 2 }), {
      durationMs: 3,
      costUsd: 0.75,
    });
    assert.deepEqual(sum({ costUsd: 0.5 }, UNKNOWN), { costUsd: 0.5, atLeast: ['costUsd'] });
    assert.deepEqual(sum(UNKNOWN, { costUsd: 0.5 }), { costUsd: 0.5, atLeast: ['costUsd'] });
    assert.deepEqual(sum(sum({ costUsd: 1 }, UNKNOWN), { costUsd: 1 }), { costUsd: 2, atLeast: ['costUsd'] });
  });

  it('is not known, rather than nothing, where neither tells; and nothing is not unknown', () => {
    assert.deepEqual(sum(UNKNOWN, UNKNOWN), {});
    assert.deepEqual(sum(undefined, { costUsd: 0 }), { costUsd: 0 });
    assert.deepEqual(sum({ costUsd: 0 }, { costUsd: 2 }), { costUsd: 2 });
  });
});

describe('what a run has used', () => {
  it('is what its engine told, with the time that it took', () => {
    assert.deepEqual(usageOfRun(end({ costUsd: 0.5, inputTokens: 10, outputTokens: 20 }), claude), {
      durationMs: 1000,
      costUsd: 0.5,
      inputTokens: 10,
      outputTokens: 20,
    });
    assert.deepEqual(usageOfRun(end({}), claude), { durationMs: 1000 });
  });

  it('is a lower bound when it was ended before its last word', () => {
    const cut = end({ final: false, costUsd: 0.5, outputTokens: 7 }, { endedBy: 'timeout' });
    assert.deepEqual(usageOfRun(cut, claude).atLeast, ['costUsd', 'outputTokens']);
  });

  it('is not what an engine cannot mean', () => {
    assert.deepEqual(usageOfRun(end({ costUsd: -3, inputTokens: 4 }), claude), {
      durationMs: 1000,
      inputTokens: 4,
    });
  });
});

describe('what a job has used', () => {
  it('grows with each run, once however often its end is looked at', () => {
    const one = withRun(undefined, 1, end({ costUsd: 0.5 }), claude);
    const two = withRun(one, 2, end({ costUsd: 0.25 }), claude);
    assert.deepEqual([two?.costUsd, two?.durationMs, two?.run], [0.75, 2000, 2]);
    assert.equal(withRun(two, 2, end({ costUsd: 0.25 }), claude), two);
  });

  it('is known in part after a run of which nobody knows how it ended', () => {
    const one = withRun(undefined, 1, end({ costUsd: 0.5 }), claude);
    assert.deepEqual(withRun(one, 2, undefined, claude)?.atLeast, ['durationMs', 'costUsd']);
  });

  it('is not touched by an engine that could not be started', () => {
    assert.equal(withRun(undefined, 1, end({ final: false }, { endedBy: 'spawn-error' }), claude), undefined);
  });

  it('counts what a resumed session of an engine that tells totals has used since', () => {
    const told = (session: string, inputTokens: number) =>
      end({ sessionId: session, inputTokens, outputTokens: 1 });
    const one = withRun(undefined, 1, told('a', 100), codex);
    const resumed = withRun(one, 2, told('a', 150), codex);
    assert.deepEqual([one?.inputTokens, resumed?.inputTokens, resumed?.outputTokens], [100, 150, 1]);
    const anew = withRun(resumed, 3, told('b', 30), codex);
    assert.equal(anew?.inputTokens, 180, 'another session');
    assert.equal(withRun(anew, 4, told('b', 10), codex)?.inputTokens, 190, 'it has begun to count anew');
    assert.equal(withRun(one, 2, told('a', 150), claude)?.inputTokens, 250, 'claude tells its runs');
  });
});

it('amounts are said in brief', () => {
  assert.deepEqual([0, 0.001, 0.42, 12].map(dollars), ['$0.00', '<$0.01', '$0.42', '$12.00']);
  assert.deepEqual([999, 12_345, 999_951, 4_500_000].map(tokens), ['999', '12.3k', '1M', '4.5M']);
  assert.equal(costText({ costUsd: 0.5, atLeast: ['costUsd'] }), 'at least $0.50');
  assert.equal(costText({}), undefined);
  assert.equal(tokensText({ inputTokens: 1000, outputTokens: 500 }), '1.5k');
  assert.equal(tokensText({ outputTokens: 500 }), 'at least 500');
  assert.equal(tokensText({}), undefined);
});
