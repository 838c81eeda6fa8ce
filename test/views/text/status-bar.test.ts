import assert from 'node:assert/strict';
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
