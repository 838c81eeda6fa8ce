/**
 * `npm run test:engines [-- ENGINE… --only SCENARIO --record]`: the conformance kit. Drives the real programs from the npm
 * registry through our descriptors and our runner, against a stub of their model service on loopback, and prints a
 * table of engine × scenario. Every cell is `passed` or `not possible here`, with the reason; a `failed` one makes it
 * exit with 1. Needs the registry once, for some 2 GB, and no account.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/platform/errors.ts';
import { engineCatalog } from '../../src/runner/engines/registry.ts';
import { readEnd } from '../../src/runner/supervisor/records.ts';
import { installed, PACKAGES } from './programs.ts';
import { keep } from './recording.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { type Bench, SCENARIOS_IN_ORDER, type Scenario } from './scenarios/scenario.ts';
import type { Seat } from './seat.ts';
import { SEATS } from './seats/all.ts';
import { closeStations, type Station } from './station.ts';
import { type Cell, printTable } from './table.ts';

/** Cells at once. */
const AT_ONCE = 2;
/** Until it has been measured, ms. */
const SLOWEST = 15_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', multiple: true }, record: { type: 'boolean', default: false } },
});
const engines = SEATS.map(({ engine }) => engine);
const only = values.only ?? [];
mustBeKnown(positionals, engines, 'engine');
mustBeKnown(only, SCENARIOS_IN_ORDER, 'scenario');
const seats = SEATS.filter(({ engine }) => positionals.length === 0 || positionals.includes(engine));
const scenarios = SCENARIOS.filter(({ name }) => only.length === 0 || only.includes(name));
const { descriptors } = engineCatalog();
const cells: Cell[] = [];
const began = performance.now();

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void closeStations().finally(() => process.exit(130)));
}
for (const seat of seats) await testEngine(seat);

const columns = seats.map(({ engine }) => engine);
printTable(columns, scenarios, cells, performance.now() - began);
const isWhole = cells.length === columns.length * scenarios.length;
process.exit(isWhole && cells.every(({ outcome }) => outcome !== 'failed') ? 0 : 1);

function mustBeKnown(names: readonly string[], known: readonly string[], what: string): void {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  console.error(`There is no ${what} ${unknown.join(', ')}. There are ${known.join(', ')}.`);
  process.exit(2);
}

async function testEngine(seat: Seat): Promise<void> {
  const descriptor = descriptors.get(seat.engine);
  const found = programOf(seat);
  if (descriptor === undefined || 'outcome' in found) {
    for (const { name } of scenarios)
      tell({ engine: seat.engine, scenario: name, ms: 0, outcome: 'failed', ...found });
    return;
  }
  const { program } = found;
  const bench = (pace: number) => ({ seat, descriptor, program, pace });
  // The first one alone: it says how long this engine takes here.
  const [first, ...rest] = scenarios;
  if (first === undefined) return;
  const pace = await testCell(first, bench(SLOWEST));
  const waiting = [...rest];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      await testCell(next, bench(pace));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

function programOf({ engine }: Seat): { program: string } | Pick<Cell, 'outcome' | 'remark'> {
  try {
    const program = installed(engine, PACKAGES[engine as keyof typeof PACKAGES]);
    if (program !== undefined) return { program };
    return { outcome: 'not possible', remark: 'npm has no program of it for this platform' };
  } catch (error) {
    return { outcome: 'failed', remark: messageOf(error) };
  }
}

async function testCell(scenario: Scenario, bench: Omit<Bench, 'record'>): Promise<number> {
  const { seat } = bench;
  const from = performance.now();
  const cell = { engine: seat.engine, scenario: scenario.name };
  const reason = seat.impossible?.[scenario.name];
  if (reason !== undefined) {
    tell({ ...cell, outcome: 'not possible', remark: reason, ms: 0 });
    return 0;
  }
  try {
    const remark = await scenario.run({
      ...bench,
      record: (station, id) => record(bench, scenario, station, id),
    });
    tell({
      ...cell,
      outcome: 'passed',
      ...(remark !== undefined && { remark }),
      ms: performance.now() - from,
    });
  } catch (error) {
    const remark = messageOf(error);
    tell({ ...cell, outcome: 'failed', remark, ms: performance.now() - from });
  }
  return performance.now() - from;
}

/** Keeps what the engine has printed, where it has come to its own end: where we end it, it is ours what it says. */
async function record(
  { seat, descriptor }: Pick<Bench, 'seat' | 'descriptor'>,
  { name }: Scenario,
  station: Station,
  id: string,
): Promise<void> {
  if (!values.record) return;
  const end = await readEnd(await station.run(id));
  if (end.state !== 'read' || !['itself', 'final-event'].includes(end.value.endedBy)) return;
  keep(descriptor, {
    version: PACKAGES[seat.engine as keyof typeof PACKAGES].version,
    scenario: name,
    end: end.value,
    log: await station.log(id),
    changed: ((await station.state(id))?.result?.files ?? 0) > 0,
    scratch: station.folder,
  });
}

function tell(cell: Cell): void {
  cells.push(cell);
  const { engine, scenario, outcome, remark, ms } = cell;
  const time = `${(ms / 1000).toFixed(1)} s`.padStart(7);
  console.log(
    `${time}  ${engine.padEnd(9)} ${scenario.padEnd(16)} ${outcome}${remark === undefined ? '' : `: ${remark.split('\n')[0]}`}`,
  );
}
