import assert from 'node:assert/strict';
import type { Today } from '../../../src/runner/board.ts';
import { holdSentence, todayText } from '../../../src/views/text/today.ts';
import { NOW, t } from '../english.ts';

const today = (given: Partial<Today>): Today => ({
  day: '2026-11-22',
  timeZone: 'UTC',
  endsAt: NOW,
  ceilings: {},
  ...given,
});

describe('what was used today', () => {
  it('is not spoken of where nothing was and nothing limits it', () => {
    assert.equal(todayText(today({}), t), undefined);
  });

  it('is nothing before the first run, and a lower bound or a dash where engines do not tell', () => {
    const ceilings = { costUsd: 5, tokens: 1_000_000 };
    const text = (usage: Today['usage']) => todayText(today({ ...(usage && { usage }), ceilings }), t);
    assert.equal(text(undefined), '$0.00 of $5.00, 0 of 1M tokens');
    assert.equal(text({}), '— of $5.00, — of 1M tokens');
    assert.equal(
      text({ costUsd: 4.2, inputTokens: 10, atLeast: ['costUsd'] }),
      'at least $4.20 of $5.00, at least 10 of 1M tokens',
    );
    assert.equal(todayText(today({ usage: {} }), t), '—');
    assert.equal(todayText(today({ usage: { costUsd: 0.5 } }), t), '$0.50');
  });

  it('holds new work in one sentence, of dollars or of tokens', () => {
    const until = new Date(2026, 10, 23).getTime();
    const held = (unit: 'usd' | 'tokens') =>
      holdSentence(
        today({
          usage: { costUsd: 5, inputTokens: 900, outputTokens: 100 },
          ceilings: { costUsd: 5, tokens: 1000 },
          hold: { until, unit, text: '' },
        }),
        t,
      );
    assert.equal(
      held('usd'),
      'Nothing new starts until midnight: today has used $5.00, and the ceiling of a day is $5.00. What runs goes on.',
    );
    assert.match(held('tokens') ?? '', /used 1k, and the ceiling of a day is 1k tokens\./);
    assert.equal(holdSentence(today({}), t), undefined);
  });
});
