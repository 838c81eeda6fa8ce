import type { Fleet } from '../fleet/fleet.ts';
import type { JobRow } from '../runner/board.ts';
import type { Factory } from '../runner/factory.ts';
import { EXIT } from './exit.ts';

/**
 * Becomes the runner of the home (waits while another process is). With `once` until nothing can be run now; else
 * until SIGINT or SIGTERM: engines that run then go on, and the next runner takes them up.
 */
export async function run(
  factory: Factory,
  fleet: Fleet | undefined,
  options: { readonly once?: boolean; readonly json?: boolean },
): Promise<number> {
  const interrupted = new Promise<'interrupted'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('interrupted'));
  });
  const report = new Reporter(factory, options.json ?? false);
  const { runner } = await factory.board();
  if (runner.kind === 'elsewhere')
    console.error(`Waiting: ${runner.what} (process ${runner.pid}) runs the jobs of this home.`);
  await report.start();
  await factory.startRunner();
  const ended = await Promise.race([interrupted, ...(options.once ? [factory.idle()] : [])]);
  if (ended === 'interrupted')
    console.error('Stopping. Engines that run go on; the next runner takes them up.');
  await factory.stopRunner();
  await report.stop();
  if (report.failures > 0) return EXIT.refused;
  // Never asked from here: another process is the runner, and says itself when nobody answers.
  const isCutOff = fleet !== undefined && !['new', 'reachable'].includes(fleet.facts().connection.phase);
  return options.once && isCutOff ? EXIT.unreachable : EXIT.ok;
}

/** Prints a line whenever a job comes into another stage. */
class Reporter {
  failures = 0;
  readonly #factory: Factory;
  readonly #json: boolean;
  readonly #stages = new Map<string, string>();
  #unsubscribe: (() => void) | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(factory: Factory, json: boolean) {
    this.#factory = factory;
    this.#json = json;
  }

  async start(): Promise<void> {
    for (const row of await this.#rows()) this.#stages.set(row.id, row.stage);
    this.#unsubscribe = this.#factory.onDidChange(() => {
      this.#reading = this.#reading.then(() => this.#look());
    });
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.();
    await this.#reading;
    await this.#look();
  }

  async #look(): Promise<void> {
    for (const row of await this.#rows()) {
      if (this.#stages.get(row.id) === row.stage) continue;
      this.#stages.set(row.id, row.stage);
      if (['blocked', 'failed', 'dead_letter', 'quarantine'].includes(row.stage)) this.failures += 1;
      const why = row.reason?.text ?? '';
      console.log(
        this.#json
          ? JSON.stringify({ id: row.id, stage: row.stage, why })
          : `${row.id}  ${row.stage}  ${why}`.trimEnd(),
      );
    }
  }

  async #rows(): Promise<JobRow[]> {
    const { stages } = await this.#factory.board();
    return stages.flatMap(({ rows }) => rows);
  }
}
