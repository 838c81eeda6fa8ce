import type { CommandAnswer, JobCommand } from '../runner/board.ts';
import type { FactoryApi } from '../runner/factory-api.ts';
import { EXIT } from './exit.ts';

/** Has a request carried out (here, or by the runner of this home) and prints the answer. */
export async function ask(
  factory: Pick<FactoryApi, 'execute'>,
  command: JobCommand,
  options: { readonly json?: boolean },
): Promise<number> {
  const answer = await factory.execute(command);
  if (options.json) console.log(JSON.stringify({ id: command.id, ...answer }));
  else if (answer.ok) console.log(answer.message);
  else console.error([answer.message, answer.action].filter(Boolean).join(' '));
  return exitCode(answer);
}

function exitCode(answer: CommandAnswer): number {
  if (answer.ok) return EXIT.ok;
  return answer.code === 'no-such-job' ? EXIT.noSuchJob : EXIT.refused;
}
