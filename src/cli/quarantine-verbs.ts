/** The verbs below `aq quarantine`. */
import { type Command, InvalidArgumentError } from 'commander';
import type { QuarantineVerb } from '../runner/board.ts';
import type { Factory } from '../runner/factory.ts';
import { ask } from './ask.ts';
import { compare, exportPatch, list, show } from './quarantine.ts';

interface Surroundings {
  readonly json: () => boolean;
  /** Opens the home, does the work, and keeps its exit code. */
  readonly run: (work: (factory: Factory) => Promise<number>) => Promise<void>;
}

const SETTLING: readonly (readonly [verb: QuarantineVerb, description: string])[] = [
  ['requeue', 'put its prompt back into the inbox; the engine goes on with its session where it can'],
  ['discard', 'discard it; it is kept for a month and can be restored'],
  ['restore', 'open one again that has been settled'],
];

export function quarantineVerbs(program: Command, { json, run }: Surroundings): void {
  const quarantine = program
    .command('quarantine')
    .description('results that lost their lease: list them, look at them, settle them');
  const more = () => ({ json: json() });
  quarantine
    .command('list')
    .description('list those that wait for you, newest first')
    .option('--all', 'those that have been settled as well')
    .option('--limit <n>', 'at most so many', number)
    .option('--offset <n>', 'without the first so many', number)
    .action((given: { all?: boolean; limit?: number; offset?: number }) =>
      run((factory) => list(factory, { ...given, ...more() })),
    );
  quarantine
    .command('show <id>')
    .description('show all that is known of one')
    .action((id: string) => run((factory) => show(factory, id, more())));
  quarantine
    .command('compare <id>')
    .description('compare base, ours and theirs: the work of whoever has the job now')
    .option('--file <path>', 'one file in full')
    .action((id: string, given: { file?: string }) =>
      run((factory) => compare(factory, id, { ...given, ...more() })),
    );
  quarantine
    .command('adopt <id>')
    .description('make its work a new job in review, on top of what the branch has now')
    .option('--files <paths>', 'only these files, separated by commas', paths)
    .action((id: string, { files }: { files?: string[] }) =>
      run((factory) => ask(factory, { verb: 'adopt', id, ...(files && { files }) }, more())),
    );
  quarantine
    .command('export <id>')
    .description('print its work as a patch for `git am`')
    .option('-o, --output <file>', 'write it to a new file instead')
    .action((id: string, given: { output?: string }) =>
      run((factory) => exportPatch(factory, id, { ...given, ...more() })),
    );
  for (const [verb, description] of SETTLING) {
    quarantine
      .command(`${verb} <id>`)
      .description(description)
      .action((id: string) => run((factory) => ask(factory, { verb, id }, more())));
  }
}

function number(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is a whole number.');
  return Number(text);
}

function paths(text: string): string[] {
  return text.split(',').filter((path) => path !== '');
}
