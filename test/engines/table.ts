/** The kit's table: a line for each scenario, a column for each engine, and why, below. */
import type { Scenario } from './scenarios/scenario.ts';

export interface Cell {
  readonly engine: string;
  readonly scenario: string;
  readonly outcome: 'passed' | 'failed' | 'not possible';
  /** Why it failed or is not possible here, or what is to be known of a pass. */
  readonly remark?: string;
  readonly ms: number;
}

const SHORT: Readonly<Record<Cell['outcome'], string>> = {
  passed: 'passed',
  failed: 'FAILED',
  'not possible': 'n/p',
};

export function printTable(
  engines: readonly string[],
  scenarios: readonly Scenario[],
  cells: readonly Cell[],
  ms: number,
): void {
  const notes: string[] = [];
  const noteFor = (text: string | undefined) => {
    if (text === undefined) return '';
    const known = notes.indexOf(text);
    return ` ${known === -1 ? notes.push(text) : known + 1}`;
  };
  const width = Math.max(11, ...engines.map((name) => name.length + 1));
  const line = (head: string, columns: readonly string[]) =>
    `${head.padEnd(18)}${columns.map((text) => text.padEnd(width)).join('')}`.trimEnd();
  const lines = [line('', engines)];
  for (const { name } of scenarios) {
    const columns = engines.map((engine) => {
      const cell = cells.find((each) => each.engine === engine && each.scenario === name);
      if (cell === undefined) return 'FAILED';
      return `${SHORT[cell.outcome]}${noteFor(cell.remark)}`;
    });
    lines.push(line(name, columns));
  }
  const seconds = engines.map((engine) => {
    const total = cells.filter((each) => each.engine === engine).reduce((sum, cell) => sum + cell.ms, 0);
    return String(Math.round(total / 1000));
  });
  lines.push(line('seconds', seconds));
  console.log(`\n${lines.join('\n')}\n`);
  console.log('n/p: not possible here. What each line looks at:');
  for (const { name, title } of scenarios) console.log(`  ${name.padEnd(16)} ${title}`);
  for (const [index, note] of notes.entries()) console.log(`${index + 1}  ${note}`);
  const count = (outcome: Cell['outcome']) => cells.filter((cell) => cell.outcome === outcome).length;
  console.log(
    `\n${Math.round(ms / 1000)} s. ${count('passed')} passed, ${count('failed')} failed, ${count('not possible')} not possible here`,
  );
}
