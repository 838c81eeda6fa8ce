import assert from 'node:assert/strict';
import { MINUTE } from '../../../src/platform/clock.ts';
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
