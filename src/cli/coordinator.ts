/** `aq coordinator` and what people ask of one: `aq submit`, `aq jobs`, `aq why`, `aq coordinator token`. */
import { randomBytes } from 'node:crypto';
import { fleetConfig } from '../fleet/config.ts';
import { factoryIdOf } from '../fleet/factory-id.ts';
import { UserError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { printable } from '../platform/printable.ts';
import { jobIdFor } from '../runner/manifest/id.ts';
import { EXIT } from './exit.ts';
import { readJobFiles } from './job-files.ts';
import { type OperatorOptions, openOperator } from './operator.ts';

interface CoordinatorFlags {
  readonly port: string;
  readonly host: string;
  readonly database?: string;
  readonly tokenFile?: string;
  readonly leaseSec: string;
}

interface Told {
  readonly json?: boolean;
}

/** Runs until SIGINT or SIGTERM. Says `listening on URL` on standard output when it is ready. */
export async function coordinator(home: string, flags: CoordinatorFlags, log: Log): Promise<number> {
  const { runCoordinator } = await import('../coordinator/run.ts');
  const ended = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const running = await runCoordinator({
    home,
    host: flags.host,
    port: numberOf('--port', flags.port, 0, 65_535),
    // Not in the arguments, which every process of this machine can read, where it holds a password.
    database: flags.database ?? (process.env['AQ_COORDINATOR_DATABASE']?.trim() || undefined),
    tokenFile: flags.tokenFile,
    leaseSec: numberOf('--lease-sec', flags.leaseSec, 3, 86_400),
    log,
  });
  console.log(`listening on ${running.api}`);
  console.error(`The admin token is in ${running.tokenFile}.`);
  if (!['127.0.0.1', '::1', 'localhost'].includes(flags.host))
    console.error('It speaks plain http: let other machines reach it through a proxy that adds TLS.');
  await ended;
  console.error('Stopping: what is under way is answered, and no lease is taken.');
  await running.stop();
  return EXIT.ok;
}

/** Makes a token and prints it: it is told here and never again. */
export async function makeToken(
  options: OperatorOptions & Told,
  wish: { readonly admin?: boolean; readonly factory?: string; readonly ttlSec?: string },
): Promise<number> {
  await using operator = await openOperator(options);
  const made = await operator.call('POST', '/fleet/tokens', {
    kind: wish.admin === true ? 'admin' : 'enrolment',
    ...(wish.factory !== undefined && { factoryId: wish.factory }),
    ...(wish.ttlSec !== undefined && { ttlSec: numberOf('--ttl-sec', wish.ttlSec, 1, 366 * 86_400) }),
  });
  const { token, expiresAt } = made as { token: string; expiresAt?: string };
  if (options.json) console.log(JSON.stringify(made));
  else {
    console.log(token);
    const until = expiresAt === undefined ? '' : ` It is good for one factory, until ${expiresAt}.`;
    console.error(`It is stored as a hash only and not shown again.${until}`);
  }
  return EXIT.ok;
}

/** Gives job files to the coordinator; prints the id of each. All are read before the first is given. */
export async function submit(
  files: readonly string[],
  options: OperatorOptions & Told,
  wish: { readonly id?: string; readonly priority?: string; readonly requires?: string },
): Promise<number> {
  if (wish.id !== undefined && files.length > 1)
    throw new UserError(
      'one-id',
      'One --id cannot name several jobs. Nothing was submitted.',
      'Submit them one by one.',
    );
  const jobs = await readJobFiles(files);
  await using operator = await openOperator(options);
  const submitted: unknown[] = [];
  for (const { text, name } of jobs) {
    const requires = wish.requires?.split(',').map((each) => each.trim());
    const job = await operator.call('POST', '/fleet/jobs', {
      bodyMd: text,
      id: wish.id ?? idFor(name),
      ...(wish.priority !== undefined && { priority: numberOf('--priority', wish.priority, 0, 9) }),
      ...(requires !== undefined && { requires }),
    });
    submitted.push(job);
    if (!options.json) console.log((job as { id: string }).id);
  }
  if (options.json) console.log(JSON.stringify(submitted));
  return EXIT.ok;
}

/** One that says what it is, and is nobody else's. */
function idFor(name: string): string {
  return `${jobIdFor(name).slice(0, 100)}-${randomBytes(3).toString('hex')}`;
}

interface ListedJob {
  readonly id: string;
  readonly stage: string;
  readonly leaseEpoch: number;
  readonly holder: string | null;
  readonly priority: number;
  readonly attempts: number;
  readonly reason: string | null;
}

/** The coordinator's jobs, newest first. */
export async function jobs(
  options: OperatorOptions & Told,
  wish: { readonly stage?: string; readonly limit: string },
): Promise<number> {
  const limit = numberOf('--limit', wish.limit, 1, 500);
  await using operator = await openOperator(options);
  const stage = wish.stage === undefined ? '' : `&stage=${encodeURIComponent(wish.stage)}`;
  const answer = await operator.call('GET', `/fleet/jobs?limit=${limit}${stage}`);
  const { jobs: listed, next } = answer as { jobs: readonly ListedJob[]; next: string | null };
  if (options.json) console.log(JSON.stringify(answer));
  else if (listed.length === 0) console.log('No jobs. Give it one with `aq submit FILE`.');
  else {
    console.log(listed.map(jobLine).join('\n'));
    if (next !== null) console.error('There are more; --limit shows up to 500.');
  }
  return EXIT.ok;
}

function jobLine({ id, stage, leaseEpoch, holder, priority, attempts, reason }: ListedJob): string {
  const facts = [
    stage,
    `epoch ${leaseEpoch}`,
    ...(holder === null ? [] : [`at ${holder}`]),
    ...(priority === 5 ? [] : [`priority ${priority}`]),
    ...(attempts > 1 ? [`${attempts} attempts`] : []),
    ...(reason === null ? [] : [reason]),
  ];
  return printable(`${id}  [${facts.join(', ')}]`);
}

/** Why a job is not claimed by a factory, this home's unless another is named. */
export async function why(
  id: string,
  options: OperatorOptions & Told,
  wish: { readonly factory?: string },
): Promise<number> {
  const factory = wish.factory ?? fleetConfig({}, process.env).factoryId ?? (await factoryIdOf(options.home));
  await using operator = await openOperator(options);
  const query = `factoryId=${encodeURIComponent(factory)}`;
  const answer = await operator.call('GET', `/fleet/jobs/${encodeURIComponent(id)}/why?${query}`);
  console.log(options.json ? JSON.stringify(answer) : printable((answer as { text: string }).text));
  return EXIT.ok;
}

function numberOf(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new UserError(
    'bad-number',
    `${option} is ${text}, but must be a whole number from ${least} to ${most}. Nothing was done.`,
    'Correct it.',
  );
}
