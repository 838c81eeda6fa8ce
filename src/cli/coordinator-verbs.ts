/** The verbs of `aq` that have to do with a coordinator; what they do is in coordinator.ts, which is read when one is used. */
import type { Command } from 'commander';
import type { Log } from '../platform/log.ts';
import type { OperatorOptions } from './operator.ts';

export interface Surroundings {
  readonly home: () => string;
  readonly json: () => boolean;
  readonly log: Log;
  readonly done: (exitCode: number) => void;
}

interface Where {
  readonly api?: string;
  readonly tokenFile?: string;
}

export function coordinatorVerbs(program: Command, { home, json, log, done }: Surroundings): void {
  const load = () => import('./coordinator.ts');
  const asked = ({ api, tokenFile }: Where): OperatorOptions & { readonly json: boolean } => ({
    home: home(),
    json: json(),
    api,
    tokenFile,
  });
  const withWhere = (command: Command): Command =>
    command
      .option('--api <url>', 'the coordinator (default: AQ_FLEET_API, else the one that runs in this home)')
      .option(
        '--token-file <file>',
        'holds its admin token (default: AQ_FLEET_TOKEN, else the one of this home)',
      );

  const coordinator = program
    .command('coordinator')
    .description('run a coordinator, from which factories claim jobs, until it is interrupted')
    .option('--port <number>', 'where it listens; 0 takes any', '4003')
    .option('--host <address>', 'on which address', '127.0.0.1')
    .option(
      '--database <url|file>',
      'postgres://…, or a file (default: AQ_COORDINATOR_DATABASE, else a file in the home)',
    )
    .option(
      '--token-file <file>',
      'holds the admin token; made when it is not there (default: one in the home)',
    )
    .option('--lease-sec <seconds>', 'the length of a lease', '900')
    .action(async (flags) => done(await (await load()).coordinator(home(), flags, log)));
  withWhere(coordinator.command('token'))
    .description('make an enrolment token for a factory, or an admin token; it is shown once')
    .option('--admin', 'an admin token')
    .option('--factory <id>', 'only this factory may use it')
    .option('--ttl-sec <seconds>', 'how long it can be used (default: a day)')
    .action(async (wish, command: Command) =>
      done(await (await load()).makeToken(asked(command.optsWithGlobals()), wish)),
    );
  withWhere(program.command('submit <files...>'))
    .description('give job files to a coordinator (`-` reads standard input)')
    .option('--id <id>', 'the id of the job (default: one is made)')
    .option('--priority <0-9>', 'higher first')
    .option('--requires <list>', 'capabilities that a factory must have, with commas between them')
    .action(async (files: string[], wish) => done(await (await load()).submit(files, asked(wish), wish)));
  withWhere(program.command('jobs'))
    .description('list the jobs of a coordinator, newest first')
    .option('--stage <stage>', 'only those in this stage')
    .option('--limit <number>', 'how many', '50')
    .action(async (wish) => done(await (await load()).jobs(asked(wish), wish)));
  withWhere(program.command('why <id>'))
    .description('say why a job is not claimed')
    .option('--factory <id>', 'by this factory (default: the one of this home)')
    .action(async (id: string, wish) => done(await (await load()).why(id, asked(wish), wish)));
}
