/** What all steps of a job work with: one per process and home. */
import { mkdir } from 'node:fs/promises';
import type { Clock } from '../../platform/clock.ts';
import { messageOf, UserError } from '../../platform/errors.ts';
import { createGit, type Git } from '../../platform/git/git.ts';
import type { Log } from '../../platform/log.ts';
import { capabilities, hasCapability, thisMachine } from '../engines/capabilities.ts';
import type { EngineDescriptor } from '../engines/descriptor.ts';
import { type EngineCatalog, engineCatalog } from '../engines/registry.ts';
import type { Layout } from '../home/layout.ts';
import type { Hooks } from '../hooks.ts';
import { move, revoked } from '../job/moves.ts';
import type { JobState } from '../job/state.ts';
import type { LockTable } from '../lock-table.ts';
import { describeDiagnostic } from '../manifest/diagnostic.ts';
import { parseJob } from '../manifest/parse.ts';
import type { Settings } from '../settings.ts';
import { Spending } from '../spending.ts';
import { installSupervisor } from '../supervisor/install.ts';
import { createLauncher, type Launcher } from '../supervisor/launcher.ts';
import type { ReadJob, Stopped, Work } from '../work.ts';
import { Clones, repositoryName } from '../workspace/clones.ts';

/** The capability of having a clone: `repo:github.com/acme/app`. */
const REPO = 'repo:';

export interface WorkshopOptions {
  readonly layout: Layout;
  readonly clock: Clock;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly settings: Settings;
  /** This process's environment; engines get an allow-list of it. */
  readonly env: NodeJS.ProcessEnv;
  readonly supervisorScript: string;
  readonly locks: LockTable;
  readonly workspaceFolder?: string;
}

export class Workshop {
  readonly layout: Layout;
  readonly clock: Clock;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly settings: Settings;
  readonly env: NodeJS.ProcessEnv;
  readonly locks: LockTable;
  readonly spending: Spending;
  readonly workspaceFolder: string | undefined;
  readonly git: Git;
  readonly clones: Clones;
  /** Engines whose last run has failed for want of a login. */
  readonly loggedOut = new Set<string>();
  readonly #supervisorScript: string;
  #catalog: EngineCatalog | undefined;
  #launcher: Promise<Launcher> | undefined;

  constructor(options: WorkshopOptions) {
    this.layout = options.layout;
    this.clock = options.clock;
    this.log = options.log;
    this.hooks = options.hooks;
    this.settings = options.settings;
    this.env = options.env;
    this.locks = options.locks;
    this.spending = new Spending({ ...options, budget: options.settings.budget ?? {} });
    this.workspaceFolder = options.workspaceFolder;
    this.git = createGit({ env: options.env });
    this.clones = new Clones(this.git, options.clock, options.settings.repositories);
    this.#supervisorScript = options.supervisorScript;
  }

  get catalog(): EngineCatalog {
    this.#catalog ??= engineCatalog(this.settings.engines);
    return this.#catalog;
  }

  /** Brings the supervisor into the home and keeps one warm. A failure is tried anew at the next call. */
  launcher(): Promise<Launcher> {
    this.#launcher ??= this.#openLauncher().catch((error: unknown) => {
      this.#launcher = undefined;
      throw error;
    });
    return this.#launcher;
  }

  async dispose(): Promise<void> {
    const launcher = await this.#launcher?.catch(() => undefined);
    launcher?.dispose();
  }

  /** The engine of a job, by its name or the default. @throws UserError `no-engine`, `unknown-engine`. */
  engine(name: string | undefined): EngineDescriptor {
    const wanted = name ?? this.settings.engine;
    if (wanted === undefined) {
      throw new UserError(
        'no-engine',
        'The job names no engine, and no default is set. Nothing was run.',
        'Write `engine: claude` (or another) into its front matter, or set `agentQueue.runner.engine`.',
      );
    }
    const descriptor = this.catalog.descriptors.get(wanted);
    if (descriptor !== undefined) return descriptor;
    const problem = this.catalog.problems.find(({ place }) => place.includes(wanted));
    throw new UserError(
      'unknown-engine',
      `There is no engine called ${wanted}${problem ? ` (${problem.message})` : ''}. Nothing was run.`,
      `Use one of ${[...this.catalog.descriptors.keys()].join(', ')}, or describe it in \`agentQueue.engines\`.`,
    );
  }

  /** The job's file, read and checked. @throws UserError `bad-manifest` naming line, key and expectation. */
  async read(work: Work): Promise<ReadJob> {
    const text = await work.store.readJob(work.state.stage, work.id);
    const { job, body, diagnostics } = parseJob(text, {
      fileName: `${work.id}.md`,
      engines: [...this.catalog.descriptors.keys()],
    });
    if (job !== undefined) return { manifest: job, body };
    const errors = diagnostics.filter(({ severity }) => severity === 'error').map(describeDiagnostic);
    throw new UserError(
      'bad-manifest',
      `The job file can't be read as a job: ${errors.join('; ')}. Nothing was run.`,
      'Correct the file, then retry the job.',
    );
  }

  /** Which of the capabilities this machine lacks. */
  async lacking(capabilities: readonly string[]): Promise<ReadonlySet<string>> {
    const machine = thisMachine(this.catalog.descriptors);
    const lacking = [...new Set(capabilities)].filter((each) => !hasCapability(each, machine));
    if (!lacking.some((each) => each.startsWith(REPO))) return new Set(lacking);
    const offered = new Set(await this.clones.offered());
    const isClone = (each: string) =>
      each.startsWith(REPO) && offered.has(repositoryName(each.slice(REPO.length)));
    return new Set(lacking.filter((each) => !isClone(each)));
  }

  /** All that it has, but for tools, of which there are too many to name. */
  async capabilities(): Promise<readonly string[]> {
    const clones = await this.clones.offered();
    return [
      ...capabilities(thisMachine(this.catalog.descriptors)),
      ...clones.map((name) => `${REPO}${name}`),
    ];
  }

  /** What becomes of a job that was cancelled or revoked. Its work is kept. */
  stopped(state: JobState, { reason, why }: Stopped): JobState {
    if (reason === 'revoked') return revoked(state, why, this.clock.now());
    return move(state, 'failed', this.clock.now(), {
      code: 'cancelled',
      text: 'Cancelled by a person. Nothing of it is left running, and its work is kept.',
      action: 'Retry the job to run it again.',
    });
  }

  /** What becomes of a job whose step has failed: a person acts on a UserError; anything else is a fault of ours. */
  broken(state: JobState, error: unknown): JobState {
    const now = this.clock.now();
    const reason =
      error instanceof UserError
        ? { code: error.code, text: error.message, action: error.action }
        : {
            code: 'internal',
            text: `Agent Queue itself failed: ${messageOf(error)}. What was done so far is kept.`,
            action: 'Look at the output of Agent Queue, then retry the job.',
          };
    if (state.stage === 'testing') return move(state, 'review', now, reason);
    // A claimed job is not this laptop's to mend: it goes back to the coordinator, and has failed here.
    const isMendable = error instanceof UserError && state.claim === undefined;
    return move(state, isMendable ? 'blocked' : 'failed', now, reason);
  }

  async #openLauncher(): Promise<Launcher> {
    await mkdir(this.layout.bin, { recursive: true });
    const script = this.#supervisorScript.endsWith('.ts')
      ? this.#supervisorScript
      : await installSupervisor(this.layout.root, this.#supervisorScript);
    return createLauncher({ node: process.execPath, scriptPath: script, env: this.env });
  }
}
