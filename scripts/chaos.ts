/**
 * `npm run chaos [-- --seeds N] [--seed S]`: a coordinator and three factories as real processes, while everything
 * goes wrong that a seed says (test/chaos/plan.ts); then what must hold is judged from outside (test/chaos/judge.ts).
 * N runs (default 10) with the seeds from S on; without `--seeds`, `--seed S` is that one. Without `--seed` the seeds
 * are others each time. `--variants`: the same with programs that are broken on purpose, each of which has to be found.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../src/platform/errors.ts';
import { planOf } from '../test/chaos/plan.ts';
import { type Played, play } from '../test/chaos/play.ts';
import { type Mutation, makePrograms } from '../test/chaos/programs.ts';
import { failureOf, figuresOf, missing } from '../test/chaos/report.ts';
import { VARIANTS } from '../test/chaos/variants.ts';

/** Runs that a broken variant gets to be found in. */
const TRIES = 12;

/** @returns the seed of the first run in which something did not hold, if there is one */
async function firstFailure(
  seeds: Iterable<number>,
  mutations: readonly Mutation[],
  told: (seed: number, played: Played) => void,
): Promise<number | undefined> {
  const programs = await makePrograms(mutations);
  try {
    for (const seed of seeds) {
      const played = await play(planOf(seed), programs.cli);
      told(seed, played);
      if (played.findings.length > 0) return seed;
    }
    return undefined;
  } finally {
    programs.remove();
  }
}

async function runSeeds(first: number, many: number): Promise<boolean> {
  let faults = 0;
  let runs = 0;
  const from = performance.now();
  const failed = await firstFailure(range(first, many), [], (seed, played) => {
    runs += 1;
    faults += Object.values(played.faults).reduce((sum, each) => sum + each, 0);
    console.log(`seed ${seed}: ${figuresOf(played)}`);
    if (played.findings.length > 0) console.log(failureOf(seed, played));
  });
  const seconds = Math.round((performance.now() - from) / 1000);
  console.log(`\n${runs} runs, ${faults} faults, ${seconds} s.`);
  if (failed === undefined) console.log('All held that must hold.');
  return failed === undefined;
}

async function runVariants(first: number): Promise<boolean> {
  let isBlind = false;
  for (const { what, mutations } of VARIANTS) {
    const failed = await firstFailure(range(first, TRIES), mutations, (seed, { findings, seconds }) => {
      if (findings.length === 0) return;
      const runs = seed - first + 1;
      console.log(
        `found after ${runs} ${runs === 1 ? 'run' : 'runs'} (seed ${seed}, ${seconds.toFixed(0)} s): ${what}`,
      );
      console.log(`  ${findings.length} findings, first: ${findings[0]}`);
    });
    if (failed !== undefined) continue;
    isBlind = true;
    console.log(`NOT found in ${TRIES} runs: ${what}`);
  }
  console.log(
    isBlind
      ? '\nNot every broken variant was found.'
      : `\nEach of the ${VARIANTS.length} broken variants was found.`,
  );
  return !isBlind;
}

function* range(first: number, many: number): Generator<number> {
  for (let seed = first; seed < first + many; seed += 1) yield seed;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new Error(`--${name} is ${text}, but must be a whole number from 1 on.`);
}

try {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, seeds: { type: 'string' }, variants: { type: 'boolean' } },
  });
  const seed = values.seed === undefined ? undefined : wholeNumber('seed', values.seed);
  const usual = seed === undefined ? 10 : 1;
  const many = values.seeds === undefined ? usual : wholeNumber('seeds', values.seeds);
  if (missing !== undefined) console.log(missing);
  const isWell = values.variants
    ? await runVariants(seed ?? 1)
    : await runSeeds(seed ?? 1 + (Date.now() % 1_000_000), many);
  process.exitCode = isWell ? 0 : 1;
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
