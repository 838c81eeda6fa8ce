import type { FactoryApi } from '../runner/factory-api.ts';
import { EXIT } from './exit.ts';
import { readJobFiles } from './job-files.ts';

/** Puts copies of job files into the inbox; prints the id of each. All are read before the first is added. */
export async function add(
  factory: Pick<FactoryApi, 'add'>,
  files: readonly string[],
  options: { readonly json?: boolean },
): Promise<number> {
  const jobs = await readJobFiles(files);
  const added: { file: string; id: string }[] = [];
  for (const { file, text, name } of jobs) added.push({ file, id: await factory.add(text, name) });
  if (options.json) console.log(JSON.stringify(added));
  else for (const { id } of added) console.log(id);
  return EXIT.ok;
}
