import assert from 'node:assert/strict';
import { MINUTE } from '../../../src/platform/clock.ts';
import type { JobRow } from '../../../src/runner/board.ts';
import { COMMANDS } from '../../../src/views/contributions.ts';
import { jobTooltip } from '../../../src/views/text/job-tooltip.ts';
import { commandLink, escapeMarkdown } from '../../../src/views/text/markdown.ts';
import { job, NOW, t } from '../english.ts';

describe('tooltip of a job', () => {
  it('lets no text of a job become a link, an icon, HTML or a second row', () => {
    const title = '[x](command:evil) <img src=a> `$(sync)` | **b**\n# h';
    const text = jobTooltip(job({ title, summary: title, waitsFor: title }), NOW, t);
    assert.doesNotMatch(text, /\[x\]\(/);
    assert.doesNotMatch(text, /(?<!\\)<img|\$\(sync|\n# h/);
    assert.match(text, /\\\[x\\\]\\\(command\\:evil\\\)/);
  });

  it('holds the facts, and links for what can be asked', () => {
    const text = jobTooltip(
      job({ engine: 'claude', addedAt: NOW - 5 * MINUTE, usage: { costUsd: 0.5 }, attempt: 2 }),
      NOW,
      t,
    );
    assert.match(text, /\| Added \| 5 min ago \|/);
    assert.match(text, /\| Here since \| just now \|/);
    assert.match(text, /\| Cost \| &#36;0\\\.50 \|/);
    assert.match(text, /\| Attempt \| 2 \|/);
    assert.match(text, /\[Run Now\]\(command:agentQueue\.job\.run\?%5B%22faster-imports%22%5D\)/);
    assert.doesNotMatch(text, /Ship|Show Log/);
  });

  it('says what the engine has told of time, cost and tokens, and what it has not', () => {
    const facts = (given: Partial<JobRow>) => jobTooltip(job({ engine: 'codex', ...given }), NOW, t);
    assert.doesNotMatch(facts({}), /Cost|Tokens|Engine time/);
    const told = facts({
      usage: { durationMs: 65 * MINUTE, costUsd: 0.5, inputTokens: 12_345, outputTokens: 67 },
    });
    assert.match(told, /\| Engine time \| 1 h 5 min \|/);
    assert.match(told, /\| Tokens \| 12\\\.3k in\\, 67 out \|/);
    const part = facts({ usage: { costUsd: 0.5, inputTokens: 7, atLeast: ['costUsd', 'inputTokens'] } });
    assert.match(part, /\| Cost \| at least &#36;0\\\.50 \|/);
    assert.match(part, /\| Tokens \| at least 7 in\\, — out \|/);
    const untold = facts({ usage: { durationMs: MINUTE } });
    assert.match(
      untold,
      /\| Cost \| — \\\(the engine does not tell\\, so no ceiling in dollars holds it\\\) \|/,
    );
    assert.match(untold, /\| Tokens \| — \|/);
    const script = facts({ engine: 'shell', usage: { durationMs: MINUTE } });
    assert.match(script, /\| Engine time \| 1 min \|/);
    assert.doesNotMatch(script, /Cost|Tokens/);
  });

  it('links to where the work landed only when that is a plain web address', () => {
    const landed = (url: string) =>
      jobTooltip(
        job({ stage: 'shipped', landed: { kind: 'pr', text: 'pull request 7', url, at: NOW } }),
        NOW,
        t,
      );
    assert.match(landed('https://example.org/pr/7'), /\[pull request 7\]\(https:\/\/example\.org\/pr\/7\)/);
    for (const bad of ['command:evil', 'https://a)[x](command:evil', 'https://a b']) {
      assert.doesNotMatch(landed(bad), /\]\((?!command:agentQueue\.)/, bad);
    }
  });
});

describe('Markdown', () => {
  it('escapes all punctuation and joins lines', () => {
    assert.equal(escapeMarkdown('a_b\n\n* c $(x)'), String.raw`a\_b \* c &#36;\(x\)`);
    assert.equal(escapeMarkdown('Grüße, 你好 🙂'), String.raw`Grüße\, 你好 🙂`);
  });

  it('keeps brackets of arguments from ending a link', () => {
    assert.equal(
      commandLink('Run', COMMANDS.jobRun, ['a)b(c']),
      '[Run](command:agentQueue.job.run?%5B%22a%29b%28c%22%5D)',
    );
  });
});
