/**
 * `npm run demo:fleet`: one coordinator and two factories, 20 jobs with different needs. One factory is cut off with a
 * job in its hands, which the other then does; one is killed in the middle of a job and comes back. Prints who did what
 * under which epoch, and fails unless each job was shipped once and the late result lies in quarantine. `--built`: with the
 * bundles that are there.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { enrol, enrolmentTokenFor } from '../src/fleet/enrol.ts';
import { CuttableProxy } from './lib/cuttable-proxy.ts';
import { type CoordinatorPart, castCoordinator, Factory, makeStage, until } from './lib/fleet-cast.ts';

const ROOT = path.dirname(import.meta.dirname);
/** The job that comes too late, and the one whose factory is killed. */
const LATE = 'late-result';
const VICTIM = 'power-cut';
const COUNT = 20;
const NEEDS = [[], ['tool:paint'], ['tool:glue']] as const;

interface DemoJob {
  readonly id: string;
  readonly title: string;
  readonly requires: readonly string[];
  readonly priority: number;
  readonly script: string;
}

interface Run {
  readonly factoryId: string;
  readonly leaseEpoch: number;
  readonly stage: string;
  readonly end: string | null;
}

interface Outcome extends DemoJob {
  readonly stage: string;
  readonly runs: readonly Run[];
  /** How often its change is on main. */
  readonly shipped: number;
  readonly quarantined: readonly string[];
}

/** Waits in its factory's home directory for as long as there is a file of that name. */
const heldBy = (file: string, told: string) =>
  `touch "$HOME/${told}"; while [ -e "$HOME/${file}" ]; do sleep 0.1; done`;

function jobsToDo(): DemoJob[] {
  const special: DemoJob[] = [
    { id: LATE, title: 'Answer late', requires: [], priority: 9, script: heldBy('hold-late', 'has-late') },
    {
      id: VICTIM,
      title: 'Survive a power cut',
      requires: ['tool:glue'],
      priority: 9,
      script: heldBy('hold-victim', 'has-victim'),
    },
  ];
  const usual = Array.from({ length: COUNT - special.length }, (_, n) => ({
    id: `greeting-${n + 1}`,
    title: `Write greeting ${n + 1}`,
    requires: NEEDS[n % NEEDS.length] ?? [],
    priority: 5,
    script: 'sleep 0.2',
  }));
  return [...special, ...usual];
}

async function play(): Promise<boolean> {
  const { folder, repository } = makeStage();
  const coordinator = await castCoordinator(folder);
  const network = new CuttableProxy(coordinator.port);
  await network.mend();
  const ada = await castFactory('ada', ['tool:paint'], `http://127.0.0.1:${network.port}/api`);
  const bob = await castFactory('bob', ['tool:glue'], coordinator.api);
  try {
    const jobs = jobsToDo();
    for (const { id, title, requires, priority, script } of jobs) {
      const bodyMd = `---\nengine: shell\ncwd: ${JSON.stringify(repository)}\nreview: skip\n---\n# ${title}\n\n\`\`\`sh\n${script}\necho ${id} > ${id}.txt\n\`\`\`\n`;
      await coordinator.call('POST', '/fleet/jobs', { id, bodyMd, priority, requires });
    }
    say(`${COUNT} jobs are submitted; ada begins.`);
    ada.put('hold-late');
    ada.start();
    await until('ada works at the late one', () => ada.has('has-late'));
    await network.cut();
    say('ada is cut off from the coordinator, and works on; bob begins.');
    bob.put('hold-victim');
    bob.start();
    await until('bob works at the victim', () => bob.has('has-victim'));
    await bob.kill();
    say('bob is killed in the middle of a job, and started again.');
    bob.start();
    bob.remove('hold-victim');
    await until('the late one is done by bob', async () => (await stageOf(coordinator, LATE)) === 'shipped');
    say('ada’s lease has lapsed, and bob has done its job under the next epoch; ada now finishes, too late.');
    ada.remove('hold-late');
    await until('ada has finished', () => ada.holds('testing', LATE, 1));
    await network.mend();
    say('ada’s network is back.');
    await until('the late result is in quarantine', () => ada.holds('quarantine', LATE, 1));
    for (const { id } of jobs)
      await until(`${id} is shipped`, async () => (await stageOf(coordinator, id)) === 'shipped');
    // It lands right after the coordinator has accepted that it ships.
    for (const job of jobs)
      await until(`${job.id} has landed`, () => landingsOf(job) > 0).catch(() => undefined);
    return report(await Promise.all(jobs.map((job) => outcomeOf(job))));
  } finally {
    await Promise.all([ada.end(), bob.end()]);
    await network.cut();
    await coordinator.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async function castFactory(name: string, tools: readonly string[], api: string): Promise<Factory> {
    const file = path.join(folder, 'coordinator/coordinator/admin.token');
    const adminToken = (await readFile(file, 'utf8')).trim();
    const identity = { api: coordinator.api, factoryId: name };
    const token = await enrol({
      ...identity,
      enrolmentToken: await enrolmentTokenFor({ ...identity, adminToken }),
    });
    return new Factory({ name, folder, capabilities: ['engine:shell', ...tools], api, token });
  }

  /** How often it is on main. */
  function landingsOf({ title }: DemoJob): number {
    const titles = execFileSync('git', ['log', '--format=%s', 'main'], { cwd: repository, encoding: 'utf8' });
    return titles.split('\n').filter((each) => each === title).length;
  }

  async function outcomeOf(job: DemoJob): Promise<Outcome> {
    const { runs } = (await coordinator.call('GET', `/fleet/jobs/${job.id}/runs`)) as { runs: Run[] };
    const quarantined = [ada, bob].filter((factory) =>
      runs.some(({ leaseEpoch }) => factory.holds('quarantine', job.id, leaseEpoch)),
    );
    return {
      ...job,
      stage: await stageOf(coordinator, job.id),
      runs,
      shipped: landingsOf(job),
      quarantined: quarantined.map(({ name }) => name),
    };
  }
}

async function stageOf(coordinator: CoordinatorPart, id: string): Promise<string> {
  return ((await coordinator.call('GET', `/fleet/jobs/${id}`)) as { stage: string }).stage;
}

/** Prints the table. True: all is as it has to be. */
function report(outcomes: readonly Outcome[]): boolean {
  const rows = [
    ['job', 'needs', 'who, under which epoch', 'at the coordinator', 'on main', 'in quarantine'],
    ...outcomes.map(({ id, requires, runs, stage, shipped, quarantined }) => [
      id,
      requires.join(' ') || 'anybody',
      runs.map(({ factoryId, leaseEpoch }) => `${factoryId} (${leaseEpoch})`).join(', then '),
      stage,
      `${shipped}×`,
      quarantined.map((name) => `at ${name}`).join(', '),
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  console.log('');
  for (const row of rows)
    console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
  const wrong = outcomes.filter((each) => !isRight(each));
  console.log(
    wrong.length === 0
      ? `\nEach of the ${outcomes.length} jobs was shipped once, and what came too late is in quarantine.`
      : `\nNot as it has to be: ${wrong.map(({ id }) => id).join(', ')}.`,
  );
  return wrong.length === 0;
}

/** Shipped once; in quarantine only what an earlier holder had, and certainly the late result. */
function isRight({ id, stage, shipped, runs, quarantined }: Outcome): boolean {
  const earlier = runs.slice(0, -1).map(({ factoryId }) => factoryId);
  const isSettled = quarantined.every((name) => earlier.includes(name));
  const wasLate = id !== LATE || (runs.length === 2 && quarantined.join() === 'ada');
  return stage === 'shipped' && shipped === 1 && isSettled && wasLate;
}

function say(text: string): void {
  console.log(text);
}

if (!process.argv.includes('--built')) {
  const built = spawnSync(process.execPath, [path.join(ROOT, 'scripts/build.ts')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (built.status !== 0) process.exit(built.status ?? 1);
}
process.exitCode = (await play()) ? 0 : 1;
