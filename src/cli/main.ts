/** The verbs of `aq`. Each is a few lines here; what they do is the factory's. */
import { Command, CommanderError, Option } from 'commander';
import { errnoOf, messageOf, UserError } from '../platform/errors.ts';
import type { JobVerb } from '../runner/board.ts';
import { add } from './add.ts';
import { ask } from './ask.ts';
import { coordinatorVerbs } from './coordinator-verbs.ts';
import { EXIT } from './exit.ts';
import { fleetStatus } from './fleet-status.ts';
import { homeOf, standardError, withFactory } from './home.ts';
import { showLog } from './log.ts';
import { quarantineVerbs } from './quarantine-verbs.ts';
import { run } from './run.ts';
import { status } from './status.ts';

export interface Options {
  readonly home?: string;
  readonly json?: boolean;
}

/** Runs one command line. Returns the exit code; never throws. */
export async function main(args: readonly string[]): Promise<number> {
  // Whoever reads our output may have had enough of it (`aq log ID | head`).
  process.stdout.on('error', (error) => process.exit(errnoOf(error) === 'EPIPE' ? EXIT.ok : EXIT.internal));
  let code: number = EXIT.ok;
  const program = new Command('aq');
  const options = () => program.opts<Options>();
  const verb = (name: string, action: (...given: never[]) => Promise<number>) =>
    program.command(name).action(async (...given) => {
      code = await action(...(given as never[]));
    });

  program
    .description('Runs Markdown jobs with coding agents, each in a git worktree of its own.')
    .option('--home <folder>', 'the home of the queue (default: AQ_HOME, else ~/.agent-queue)')
    .option('--json', 'print JSON')
    .showHelpAfterError('(aq --help tells all verbs)')
    .addHelpText('after', EXIT_HELP)
    .exitOverride();

  verb('add <files...>', (files: string[]) =>
    withFactory(options(), (factory) => add(factory, files, options())),
  )
    .description('put job files into the inbox (a copy; `-` reads standard input)')
    .allowExcessArguments(false);
  verb('run', (given: { once?: boolean }) =>
    withFactory(options(), (factory, fleet) => run(factory, fleet, { ...options(), ...given })),
  )
    .description('run the jobs of the inbox until it is interrupted')
    .addOption(new Option('--once', 'run what can be run now, then exit'));
  verb('status', () =>
    withFactory(options(), (factory, fleet) => status(factory, fleet, options())),
  ).description('show the jobs and who runs them');
  verb('fleet-status', () =>
    withFactory(options(), (factory, fleet) => fleetStatus(factory, fleet, options())),
  ).description('send a heartbeat, then show the coordinator, this factory and its claimed jobs');
  verb('log <id>', (id: string, given: { follow?: boolean }) =>
    withFactory(options(), (factory) => showLog(factory, id, given)),
  )
    .description('print the newest log of a job')
    .option('-f, --follow', 'go on until the job leaves the engine');
  for (const [name, asked, text] of ASKING) {
    verb(`${name} <id>`, (id: string) =>
      withFactory(options(), (factory) => ask(factory, { verb: asked, id }, options())),
    ).description(text);
  }

  quarantineVerbs(program, {
    json: () => options().json === true,
    run: async (work) => {
      code = await withFactory(options(), work);
    },
  });
  coordinatorVerbs(program, {
    home: () => homeOf(options()),
    json: () => options().json === true,
    log: standardError,
    done: (answered) => {
      code = answered;
    },
  });

  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof UserError) {
      console.error(`${error.message} ${error.action}`);
      return EXIT_OF.get(error.code) ?? EXIT.refused;
    }
    console.error(
      `aq failed: ${messageOf(error)}. Nothing of your work is lost; \`aq status\` shows where the jobs are.`,
    );
    return EXIT.internal;
  }
}

const EXIT_OF: ReadonlyMap<string, number> = new Map([
  ['unreachable', EXIT.unreachable],
  ['unauthorized', EXIT.unreachable],
  ['no-such-job', EXIT.noSuchJob],
  ['bad-number', EXIT.usage],
]);

const ASKING: readonly (readonly [name: string, verb: JobVerb, description: string])[] = [
  ['promote', 'approve', 'approve a job in review, and run its `verify` to the end'],
  ['ship', 'ship', 'ship a job that has passed'],
  ['retry', 'retry', 'queue a failed, blocked or dead job again'],
  ['cancel', 'cancel', 'end a job; its work is kept'],
];

const EXIT_HELP = `
Exit codes:
  0   done
  1   refused, or a job that was run ended blocked or failed
  2   the command line could not be read
  3   no such job
  4   the coordinator could not be reached; local jobs were run all the same
  70  a fault of aq itself`;
