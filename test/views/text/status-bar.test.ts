import assert from 'node:assert/strict';
import { MINUTE } from '../../../src/platform/clock.ts';
import type { Today } from '../../../src/runner/board.ts';
import { type StatusFacts, statusBar } from '../../../src/views/text/status-bar.ts';
import { t } from '../english.ts';

const facts = (given: Partial<StatusFacts>, tally: Partial<StatusFacts['tally']> = {}): StatusFacts => ({
  trusted: true,
  tally: { running: 0, waiting: 0, quarantined: 0, queued: 0, total: 0, ...tally },
  runner: { kind: 'here' },
  home: '/home/me/.agent-queue',
  ...given,
});

describe('status bar', () => {
  it('is quiet when there is nothing to say', () => {
    const { text, needsPerson } = statusBar(facts({}), t);
    assert.equal(text, '$(inbox) Agent Queue');
    assert.equal(needsPerson, false);
  });

  it('counts what runs, without a word on a fleet that nobody has', () => {
    assert.equal(statusBar(facts({}, { running: 2 }), t).text, '$(play-circle) 2 running');
    assert.equal(
      statusBar(facts({ fleet: 'Fleet on' }, { running: 2 }), t).text,
      '$(play-circle) Fleet on · 2 running',
    );
  });

  it('stands out when, and only when, a person is needed', () => {
    const one = statusBar(facts({}, { waiting: 1, running: 3 }), t);
    assert.deepEqual([one.text, one.needsPerson], ['$(bell-dot) 1 needs you · 3 running', true]);
    assert.equal(statusBar(facts({}, { waiting: 2 }), t).text, '$(bell-dot) 2 need you');
    assert.equal(statusBar(facts({}, { running: 3, queued: 9 }), t).needsPerson, false);
  });

  it('says when queued jobs wait for a runner', () => {
    const { text } = statusBar(facts({ runner: { kind: 'stopped' } }, { queued: 4 }), t);
    assert.equal(text, '$(inbox) 4 queued, runner stopped');
  });

  it('says what was used today, and until when that holds what is queued', () => {
    const until = new Date(2026, 10, 23).getTime();
    const today: Today = {
      day: '2026-11-22',
      timeZone: 'Europe/Berlin',
      endsAt: until,
      usage: { costUsd: 4.2, inputTokens: 1200, outputTokens: 300 },
      ceilings: { costUsd: 5 },
    };
    const free = statusBar(facts({ today }, { queued: 2 }), t);
    assert.equal(free.text, '$(inbox) Agent Queue');
    assert.match(free.tooltip, /\| Used today \| &#36;4\\\.20 of &#36;5\\\.00\\, 1\\\.5k tokens \|/);
    const hold = { until, unit: 'usd', text: '' } as const;
    const held = statusBar(facts({ today: { ...today, usage: { costUsd: 5.5 }, hold } }, { queued: 2 }), t);
    assert.equal(held.text, '$(inbox) 2 queued, held until midnight');
    assert.match(
      held.tooltip,
      /Nothing new starts until midnight\\: today has used &#36;5\\\.50\\, and the ceiling of a day is &#36;5\\\.00\\\. What runs goes on\\\. The day is that of the time zone Europe\\\/Berlin\\\./,
    );
    assert.equal(held.needsPerson, false);
    const idle = statusBar(facts({ today: { ...today, hold } }), t);
    assert.equal(idle.text, '$(inbox) Agent Queue', 'it holds nothing');
    const late = { ...hold, until: until + 90 * MINUTE };
    assert.match(
      statusBar(facts({ today: { ...today, hold: late } }, { queued: 1 }), t).text,
      /held until 0?1:30/,
    );
  });

  it('says nothing of the jobs in a workspace that is not trusted', () => {
    const { text, tooltip, needsPerson } = statusBar(facts({ trusted: false }, { waiting: 1 }), t);
    assert.deepEqual([text, needsPerson], ['$(inbox) Agent Queue', false]);
    assert.match(tooltip, /not trusted/);
    assert.doesNotMatch(tooltip, /command:/);
  });

  it('offers in its panel to start the runner, or to stop it where it is', () => {
    assert.match(statusBar(facts({}), t).tooltip, /\[Stop Runner\]/);
    const elsewhere = statusBar(facts({ runner: { kind: 'elsewhere', pid: 7, what: 'aq' } }), t).tooltip;
    assert.match(elsewhere, /\[Start Runner\]/);
    assert.match(elsewhere, /another process \\\(aq\\, pid 7\\\)/);
  });
});
