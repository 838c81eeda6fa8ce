/**
 * `npm run simulate -- [--seeds N] [--from S] [--seed S] [--without a,b] [--trace] [--variants]`: the whole product on
 * simulated machines, under a virtual clock, with everything going wrong that can. See docs/simulation.md.
 */
import { parseArgs } from 'node:util';
import { checkVariants } from './check-variants.ts';
import type { Answer } from './protocol.ts';
import { runAll, Thread } from './threads.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    without: { type: 'string', default: '' },
    trace: { type: 'boolean', default: false },
    variants: { type: 'boolean', default: false },
  },
});

/** Real time that making a failed run shorter may take, ms. */
const SHRINK_FOR = 60_000;
/** Of a timeline, the lines before its end that are shown of a failure. */
const SHOWN = 120;
/** Heartbeats and claims that came to nothing tell little; `--trace` shows them too. */
const QUIET = /factories\/heartbeat|→ POST \/api\/fleet\/claim|← 204 \/api\/fleet\/claim|^\s*$/;
const MINUTE = 60_000;
const DAY = 86_400_000;

if (values.variants) process.exitCode = (await checkVariants(Number(values.seeds), console.log)) ? 0 : 1;
else process.exitCode = values.seed === undefined ? await many() : await one(Number(values.seed));

async function many(): Promise<number> {
  const first = Number(values.from);
  const last = first + Number(values.seeds) - 1;
  const began = performance.now();
  let seed = first - 1;
  let factoryMs = 0;
  let cpuMs = 0;
  let runs = 0;
  const tally = { claims: 0, reports: 0, landings: 0 };
  let broken: Answer | undefined;
  const timer = setInterval(() => console.error(`${runs} of ${last - first + 1} seeds`), 30_000);
  await runAll(
    () => {
      seed += 1;
      return seed > last ? undefined : { do: 'run', seed, left: [], traced: false };
    },
    (answer) => {
      runs += 1;
      factoryMs += answer.factoryMs;
      cpuMs += answer.cpuMs;
      tally.claims += answer.tally.claims;
      tally.reports += answer.tally.reports;
      tally.landings += answer.tally.landings;
      if (answer.broken !== undefined && (broken === undefined || answer.seed < broken.seed)) broken = answer;
      return answer.broken !== undefined;
    },
  );
  clearInterval(timer);
  const seconds = (performance.now() - began) / 1000;
  const days = factoryMs / DAY;
  const perMinute = (ms: number) => `${((days / ms) * MINUTE).toFixed(0)} factory-days a minute`;
  const times = Math.round(factoryMs / (seconds * 1000)).toLocaleString('en');
  console.log(
    `${runs} seeds, ${days.toFixed(1)} factory-days in ${seconds.toFixed(0)} s: ${perMinute(seconds * 1000)}, ${times} times as fast as real time; ${perMinute(cpuMs)} of one processor.`,
  );
  console.log(
    `${tally.claims} claims, ${tally.reports} calls accepted under an epoch, ${tally.landings} landings; every rule held after every step${broken === undefined ? '' : ', but one'}.`,
  );
  return broken === undefined ? 0 : show(broken);
}

async function one(seed: number): Promise<number> {
  await using thread = new Thread();
  const left = values.without.split(',').filter((each) => each !== '');
  const answer = await thread.ask({ do: 'run', seed, left, traced: values.trace });
  if (answer.timeline !== undefined) console.log(answer.timeline);
  if (answer.broken === undefined) {
    console.log(
      `Seed ${seed}: every rule held, and every job came to its end${answer.digest === undefined ? '' : ` (timeline ${answer.digest})`}.`,
    );
    return 0;
  }
  if (left.length === 0 && !values.trace) return show(answer);
  console.log(`Seed ${seed} breaks a rule. ${answer.broken.message}`);
  return 1;
}

async function show({ seed, broken }: Answer): Promise<number> {
  const { rule = '', message = '' } = broken ?? {};
  console.log(`\nSeed ${seed} breaks a rule. ${message}`);
  console.log(`Replay it: npm run simulate -- --seed ${seed} --trace`);
  await using thread = new Thread();
  const { left, timeline = '' } = await thread.ask({
    do: 'shrink',
    seed,
    left: [],
    rule,
    budgetMs: SHRINK_FOR,
  });
  const lines = timeline.split('\n').filter((line) => !QUIET.test(line));
  console.log(
    `\nThe shortest run that still breaks it, its last ${Math.min(SHOWN, lines.length)} of ${lines.length} lines:`,
  );
  console.log(
    lines
      .slice(-SHOWN)
      .map((line) => line.slice(0, 240))
      .join('\n'),
  );
  console.log(`\nReplay that one: npm run simulate -- --seed ${seed} --without ${left.join(',')} --trace`);
  return 1;
}
