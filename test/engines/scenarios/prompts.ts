/** Prompts that a shell, an argument parser or a decoder might not survive. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LONGEST_PROMPT } from '../../../src/runner/manifest/parse.ts';
import type { Station } from '../station.ts';
import {
  ANSWER,
  assertClean,
  assertSuccess,
  atRest,
  type Bench,
  calls,
  open,
  type Scenario,
} from './scenario.ts';

/** The prompt has reached the model, or, where the engine is only told of a file, the file holds it. */
async function assertReceived(bench: Bench, station: Station, id: string, prompt: string): Promise<void> {
  const said = station.service.asked.flatMap((request) => request.said);
  if (bench.descriptor.prompt === 'stdin') {
    const got = said.some((text) => text.includes(prompt.trim()));
    const longest = Math.max(0, ...said.map((text) => text.length));
    assert.ok(
      got,
      `the model has not got all of it (${prompt.length} characters; the longest text had ${longest})`,
    );
    return;
  }
  const file = path.join(await station.run(id), 'prompt.md');
  assert.ok(
    said.some((text) => text.includes(file)),
    'the model is not told where the prompt is',
  );
  assert.equal(readFileSync(file, 'utf8') === prompt, true, 'the file does not hold the prompt');
}

const HOSTILE = `--help -p "double" 'single' \`backtick\` $(touch pwned) $HOME %PATH% \\ ; rm -rf x | cat & \u00e9\u{1f600}
- a list
EOF
"""
`;

function prompt(name: Scenario['name'], title: string, text: string): Scenario {
  return {
    name,
    title,
    async run(bench) {
      // Some repeat the prompt, and exit without waiting until all that they have said is read: a model takes longer.
      const answer = { kind: 'answer', text: ANSWER, afterMs: 1500 } as const;
      await using station = await open(
        bench,
        calls(() => [], answer),
      );
      const id = await station.add({}, text);
      const state = await atRest(bench, station, id);
      assertSuccess(state);
      await assertReceived(bench, station, id, text);
      assert.equal(state.result?.files, 0);
      await assertClean(bench, station, id);
      return undefined;
    },
  };
}

const LINE = 'This line of the prompt is one of very many, and it is number ';

function longest(): string {
  const lines = ['The prompt begins.'];
  for (let size = 40; size < LONGEST_PROMPT - 200; ) {
    const line = `${LINE}${lines.length}.`;
    lines.push(line);
    size += line.length + 1;
  }
  return `${lines.join('\n')}\nThe prompt ends.\n`;
}

const bytes: Scenario = {
  name: 'invalid bytes',
  title: 'a job file that is not UTF-8 throughout: the rest of it reaches the model, readable',
  async run(bench) {
    await using station = await open(
      bench,
      calls(() => []),
    );
    const head = `---\nengine: ${bench.seat.engine}\ncwd: ${station.repo}\n---\n`;
    const text = Buffer.concat([
      Buffer.from(`${head}Make a caf`),
      Buffer.from([0xe9, 0xff, 0xfe, 0xc3]),
      Buffer.from(' of it.\n'),
    ]);
    writeFileSync(path.join(station.home, 'inbox', 'job.md'), text);
    const state = await atRest(bench, station, 'job');
    assertSuccess(state);
    await assertReceived(bench, station, 'job', 'Make a caf\ufffd\ufffd\ufffd\ufffd of it.\n');
    await assertClean(bench, station, 'job');
    return undefined;
  },
};

export const PROMPTS: readonly Scenario[] = [
  prompt('1 MiB prompt', 'a prompt of 1 MiB: all of it reaches the model', longest()),
  prompt(
    'quotes, dash',
    'a prompt that begins with a dash and is full of quotes: it reaches the model as it is',
    HOSTILE,
  ),
  bytes,
];
