/** A real factory on a scratch home, in which one engine does jobs against the stub of its model service. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Clock, systemClock } from '../../src/platform/clock.ts';
import { type Factory, openFactory } from '../../src/runner/factory.ts';
import { Store } from '../../src/runner/home/store.ts';
import type { JobState } from '../../src/runner/job/state.ts';
import { LOG_FILE } from '../../src/runner/supervisor/contract.ts';
import { processesOf, recordingLog, SUPERVISOR, waitUntil } from '../runner/support/factory.ts';
import { jobFile } from '../runner/support/job-file.ts';
import { commit, environment, git } from '../runner/support/scratch.ts';
import type { Seat } from './seat.ts';
import type { ModelRequest, Turn } from './services/dialect.ts';
import { type ModelService, modelService } from './services/service.ts';

/** What the service does with a question; `cwd` is where the engine says that it works. */
export type Script = (request: ModelRequest, cwd: string) => Turn;

export interface StationOptions {
  readonly seat: Seat;
  /** The program to start. */
  readonly program: string;
  readonly script: Script;
  /** False: no credentials. */
  readonly login?: boolean;
  /** True: the person's own rules forbid to edit. */
  readonly forbidden?: boolean;
  /** Over the engine's entry in the setting `agentQueue.engines`. */
  readonly entry?: Readonly<Record<string, unknown>>;
  /** Over the person's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
}

export interface Station extends AsyncDisposable {
  /** The person's HOME, the factory's home and the repository are in it. */
  readonly folder: string;
  readonly home: string;
  readonly repo: string;
  readonly service: ModelService;
  readonly factory: Factory;
  /** Puts a job for the engine into the inbox; returns its id. */
  add(front?: Readonly<Record<string, unknown>>, body?: string, name?: string): Promise<string>;
  state(id: string): Promise<JobState | undefined>;
  /** The state as soon as `is` holds of it; throws after `timeout` ms, saying how the job stands. */
  until(id: string, is: (state: JobState) => boolean, timeout: number): Promise<JobState>;
  /** The folder of the engine's newest run. */
  run(id: string): Promise<string>;
  /** What has been logged of the engine's newest run. */
  log(id: string): Promise<string>;
  /** A file of the job's checkpoint; undefined when it is not in it. */
  saved(id: string, file: string): Promise<string | undefined>;
  /** Processes of any run that are left. */
  left(): Promise<readonly number[]>;
}

const opened = new Set<Station>();

/** Ends all that still runs, for a kit that is interrupted: engines do not go with the process that started them. */
export async function closeStations(): Promise<void> {
  await Promise.all([...opened].map((station) => station[Symbol.asyncDispose]()));
}

export async function openStation(options: StationOptions): Promise<Station> {
  const { seat, script, clock = systemClock } = options;
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), `aq-kit-${seat.engine}-`)));
  const [person, home, repo] = ['person', 'home', 'app'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(person);
  makeRepository(repo);
  const service = await modelService(seat.protocol, (request) =>
    script(request, placeIn(request, home) ?? repo),
  );
  const { login = true, forbidden = false } = options;
  const { env, setEnv, ...own } = seat.prepare({ home: person, url: service.url, login, forbidden });
  const entry = { executable: options.program, ...(setEnv && { setEnv }), ...own.entry, ...options.entry };
  const factory = await openFactory({
    home,
    supervisorScript: SUPERVISOR,
    settings: { engines: { [seat.engine]: entry } },
    log: recordingLog(),
    what: 'the conformance kit',
    env: environment({ HOME: person, ...nowhere(service.url), ...env, ...options.env }),
    clock,
  });
  await factory.startRunner();
  const store = new Store(home);
  const runOf = async (id: string) =>
    store.layout.command(id, (await store.readState(id))?.run ?? 1, 'engine');
  const left = async () => (await processesOf(home)).map(({ pid }) => pid);
  const station: Station = {
    folder,
    home,
    repo,
    service,
    factory,
    add: (front = {}, body = 'Please do the task.\n', name = 'job') =>
      factory.add(jobFile({ engine: seat.engine, cwd: repo, ...front, body }), name),
    state: (id) => store.readState(id),
    until: async (id, is, timeout) => {
      let last: JobState | undefined;
      const look = async () => {
        last = (await store.readState(id)) ?? last;
        return last !== undefined && is(last) ? last : undefined;
      };
      const found = await waitUntil(factory, look, timeout);
      if (found !== undefined) return found;
      throw new Error(
        `after ${Math.round(timeout / 1000)} s the job is still ${last?.stage ?? 'nowhere'}${last?.reason ? `: ${last.reason.text}` : ''}`,
      );
    },
    run: runOf,
    log: async (id) => readFile(path.join(await runOf(id), LOG_FILE), 'utf8').catch(() => ''),
    saved: async (id, file) => {
      const saved = (await store.readState(id))?.result?.wipCommit;
      if (saved === undefined) return undefined;
      try {
        return git(repo, 'show', `${saved}:${file}`);
      } catch {
        return undefined;
      }
    },
    left,
    [Symbol.asyncDispose]: async () => {
      if (!opened.delete(station)) return;
      await factory.dispose();
      for (const pid of await left()) end(pid);
      await service.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  opened.add(station);
  return station;
}

function makeRepository(folder: string): void {
  mkdirSync(folder);
  git(folder, 'init', '-q', '-b', 'main');
  git(folder, 'config', 'user.name', 'Pat');
  git(folder, 'config', 'user.email', 'pat@example.org');
  commit(folder, { 'a.txt': 'a\n' }, 'first');
}

/** Engines tell their model where they work: somewhere in the home's worktrees. */
function placeIn({ body }: ModelRequest, home: string): string | undefined {
  const text = JSON.stringify(body);
  const start = text.indexOf(path.join(home, 'worktrees'));
  return start === -1 ? undefined : /^[\w./-]*\w/.exec(text.slice(start))?.[0];
}

/** Whatever an engine would ask outside ends at a closed port, instead of waiting for a name that nobody resolves. */
function nowhere(url: string): Record<string, string> {
  const closed = 'http://127.0.0.1:9';
  const { hostname } = new URL(url);
  return { HTTP_PROXY: closed, HTTPS_PROXY: closed, NO_PROXY: `${hostname},localhost` };
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone meanwhile.
  }
}
