import assert from 'node:assert/strict';
import { KEY_NAMES } from '../../../src/runner/manifest/keys.ts';
import { parseJob } from '../../../src/runner/manifest/parse.ts';
import { type CompletionEntry, completionsAt, type Known } from '../../../src/views/jobfile/completions.ts';
import { marked, t } from './marked.ts';

const known: Known = {
  engines: () => [
    { name: 'claude', label: 'Claude Code' },
    { name: 'shell', label: 'Shell' },
  ],
  engineDetails: () => Promise.resolve(new Map([['claude', 'Claude Code 2.1']])),
  jobIds: () => Promise.resolve(['first', 'second']),
};

async function at(
  withMark: string,
): Promise<{ labels: string[]; entries: readonly CompletionEntry[]; applied: (label: string) => string }> {
  const { text, offset } = marked(withMark);
  const entries = await completionsAt(text, offset, known, t);
  return {
    entries,
    labels: entries.map(({ label }) => label),
    applied(label) {
      const entry = entries.find((candidate) => candidate.label === label);
      assert.ok(entry, `no ${label}`);
      return text.slice(0, entry.span.start) + entry.insert + text.slice(entry.span.end);
    },
  };
}

describe('completionsAt', () => {
  it('offers the keys that are not there yet, the usual ones first', async () => {
    const { labels } = await at('---\ncwd: x\n|\n---\nbody');
    assert.deepEqual(
      labels,
      KEY_NAMES.filter((name) => name !== 'cwd'),
    );
  });

  it('completes a key that has been begun, with or without its colon', async () => {
    assert.equal((await at('---\ntim|\n---\nb')).applied('timeout'), '---\ntimeout: \n---\nb');
    assert.equal((await at('---\ntim|: 4h\n---\nb')).applied('timeout'), '---\ntimeout: 4h\n---\nb');
    assert.equal(
      (await at('\uFEFF---\r\nti|tl\r\n---\r\nb')).applied('title'),
      '\uFEFF---\r\ntitle: \r\n---\r\nb',
    );
  });

  it('still offers a key that is whole, and its description', async () => {
    const { entries } = await at('---\nship|: pr\n---\nb');
    const ship = entries.find(({ label }) => label === 'ship');
    assert.match(ship?.documentation ?? '', /approved result/);
    assert.equal(ship?.detail, '«for example pr»');
  });

  for (const [what, text, labels] of [
    ['engines', '---\nengine: |\n---\nb', ['claude', 'shell']],
    ['ship modes', '---\nship: m|\n---\nb', ['merge', 'push', 'pr', 'none']],
    ['priorities', '---\npriority: |\n---\nb', ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']],
    ['truth values', '---\nyolo: |\n---\nb', ['true', 'false']],
    ['reviewers', '---\nreview:|\n---\nb', ['person', 'skip']],
    ['durations', '---\ntimeout: |\n---\nb', ['90s', '30m', '1h', '4h', '1d']],
    ['job ids', '---\nneeds: [first, s|]\n---\nb', ['first', 'second']],
    ['job ids in a list of lines', '---\nneeds:\n  - first\n  # c\n  - |\n---\nb', ['first', 'second']],
    [
      'job ids in a list of lines with CRLF',
      '---\r\nneeds:\r\n  - first\r\n  - |\r\n---\r\nb',
      ['first', 'second'],
    ],
    ['values while the front matter has no end', '---\nengine: |', ['claude', 'shell']],
    ['nothing for a free text', '---\ntitle: |\n---\nb', []],
    ['nothing for an unknown key', '---\nmodel: |\n---\nb', []],
    ['nothing in a comment', '---\nengine: x # |\n---\nb', []],
    ['nothing in the body', '---\nengine: x\n---\n|', []],
    ['nothing in the delimiters', '---\nengine: x\n|---\nb', []],
    ['nothing in a text of several lines', '---\nsetup: >\n  - |\n---\nb', []],
    ['nothing without front matter', '|', []],
  ] as const) {
    it(`offers ${what}`, async () => assert.deepEqual((await at(text)).labels, labels));
  }

  it('replaces exactly the value, or the element of the list', async () => {
    assert.equal((await at('---\nship: m|er # c\n---\nb')).applied('push'), '---\nship: push # c\n---\nb');
    assert.equal((await at('---\nship:|\n---\nb')).applied('push'), '---\nship: push\n---\nb');
    assert.equal(
      (await at('---\nneeds: [a, s|x, b]\n---\nb')).applied('first'),
      '---\nneeds: [a, first, b]\n---\nb',
    );
    assert.equal((await at('---\nneeds: [a,|]\n---\nb')).applied('first'), '---\nneeds: [a,first]\n---\nb');
    assert.equal((await at('---\nneeds:\n- se|\n---\nb')).applied('second'), '---\nneeds:\n- second\n---\nb');
  });

  it('marks the default', async () => {
    const { entries } = await at('---\ntimeout: |\n---\nb');
    assert.deepEqual(
      entries.filter(({ detail }) => detail === '«default»').map(({ label }) => label),
      ['1h'],
    );
  });

  it('offers only values that are valid', async () => {
    for (const key of KEY_NAMES) {
      const { labels, applied } = await at(`---\n${key}: |\n---\nb`);
      for (const label of labels) assert.deepEqual(parseJob(applied(label)).diagnostics, [], applied(label));
    }
  });
});

it('an engine is offered with what is known of it on this machine, else with its label', async () => {
  const { entries } = await at('---\nengine: |\n---\nb');
  assert.deepEqual(
    entries.map(({ label, detail }) => [label, detail]),
    [
      ['claude', 'Claude Code 2.1'],
      ['shell', 'Shell'],
    ],
  );
});
