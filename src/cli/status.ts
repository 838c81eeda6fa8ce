import { styleText } from 'node:util';
import type { Fleet } from '../fleet/fleet.ts';
import { printable } from '../platform/printable.ts';
import type { Board, JobRow, Today } from '../runner/board.ts';
import type { FactoryApi } from '../runner/factory-api.ts';
import { costText, dollars, tokens, tokensText } from '../runner/job/usage.ts';
import { formatDuration } from '../runner/manifest/duration.ts';
import { FINISHED_STAGES } from '../runner/stages.ts';
import { EXIT } from './exit.ts';

/** Finished jobs shown of each stage; the rest is a count. */
const NEWEST = 5;

/** Prints the board: as lines for a person, or whole as JSON. */
export async function status(
  factory: Pick<FactoryApi, 'board' | 'home'>,
  fleet: Fleet | undefined,
  options: { readonly json?: boolean },
): Promise<number> {
  const board = await factory.board();
  if (options.json) {
    const { factoryId, api } = fleet?.facts() ?? {};
    console.log(
      JSON.stringify({ home: factory.home, ...(fleet && { fleet: { factoryId, api } }), ...board }),
    );
  } else {
    console.log(statusLines(board, factory.home, Date.now(), fleet?.facts()).join('\n'));
  }
  return EXIT.ok;
}

/** The board in lines; only stages that hold something. Pure. */
export function statusLines(
  board: Board,
  home: string,
  now: number,
  fleet?: { readonly factoryId: string; readonly api: string },
): string[] {
  const lines = [
    `Home    ${home}`,
    `Runner  ${runnerText(board)}`,
    ...(fleet === undefined ? [] : [`Fleet   ${fleet.factoryId} at ${fleet.api}`]),
    ...todayLines(board.today),
  ];
  const head = lines.length;
  for (const { stage, count, rows } of board.stages) {
    if (count === 0) continue;
    const newest = (FINISHED_STAGES as readonly string[]).includes(stage) ? rows.slice(0, NEWEST) : rows;
    lines.push('', styleText('bold', `${stage} (${count})`));
    lines.push(...newest.map((row) => `  ${jobLine(row, now)}`));
    if (newest.length < count) lines.push(`  … ${count - newest.length} more`);
  }
  if (lines.length === head) lines.push('', 'Nothing here yet. Put a job into the inbox with `aq add FILE`.');
  return lines;
}

/** What was used today, of what may be; nothing where nothing was and no ceiling is set. */
function todayLines({ usage, ceilings, hold, timeZone }: Today): string[] {
  if (usage === undefined && Object.keys(ceilings).length === 0) return [];
  const used = usage ?? { costUsd: 0, inputTokens: 0, outputTokens: 0 };
  const dollarCeiling = ceilings.costUsd === undefined ? undefined : dollars(ceilings.costUsd);
  const tokenCeiling = ceilings.tokens === undefined ? undefined : tokens(ceilings.tokens);
  const count = ofCeiling(tokensText(used), tokenCeiling);
  const amounts = [
    ofCeiling(costText(used), dollarCeiling),
    count === undefined ? undefined : `${count} tokens`,
  ].filter((each) => each !== undefined);
  return [
    `Today   ${amounts.length === 0 ? 'not told by the engines' : amounts.join(', ')}`,
    ...(hold === undefined ? [] : [`Held    nothing new is started ${hold.text} (${timeZone})`]),
  ];
}

function ofCeiling(used: string | undefined, ceiling: string | undefined): string | undefined {
  return ceiling === undefined ? used : `${used ?? 'not told'} of ${ceiling}`;
}

function runnerText({ runner }: Board): string {
  switch (runner.kind) {
    case 'stopped':
      return 'stopped (start it with `aq run`, or in VS Code)';
    case 'here':
      return 'this process';
    case 'elsewhere':
      return `${runner.what}, process ${runner.pid}`;
  }
}

function jobLine(row: JobRow, now: number): string {
  const since = row.activity !== undefined && row.startedAt !== undefined ? row.startedAt : row.changedAt;
  const facts = [
    row.engine,
    row.claim && `epoch ${row.claim.epoch}`,
    row.activity,
    row.readyToShip === true ? 'ready to ship' : undefined,
    row.files === undefined ? undefined : `${row.files} ${row.files === 1 ? 'file' : 'files'} changed`,
    row.landed?.text,
    row.usage && costText(row.usage),
    since > 0 ? formatDuration(Math.max(0, now - since)) : undefined,
  ].filter((fact) => fact !== undefined);
  const why = row.reason?.text ?? row.waitsFor;
  return `${row.id}  ${printable(row.title)}  [${facts.join(', ')}]${why === undefined ? '' : `\n      ${printable(why)}`}`;
}
