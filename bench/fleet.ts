/**
 * What a fleet costs a laptop: requests and bytes of a job beside the fewest that the contract allows, an idle factory
 * with and without long polling beside one that is in no fleet, and the time from a claim's answer to the engine's start
 * beside the same for a job of one's own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openFleet } from '../src/fleet/open.ts';
import { HOUR, SECOND } from '../src/platform/clock.ts';
import { silentLog } from '../src/platform/log.ts';
import type { Factory } from '../src/runner/factory.ts';
import { type Received, StubCoordinator } from '../test/fleet/support/stub-coordinator.ts';
import { factoryOf, median, printTable, repository, scratch } from './support.ts';

const JOBS = 10;
const IDLE = 30 * SECOND;
const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const GRANTS = {
  AQ_FLEET: '1',
  AQ_FACTORY_ID: 'bench',
  AQ_FLEET_ALLOW_ENGINES: 'shell',
  AQ_FLEET_ALLOW_ROOTS: path.parse(process.cwd()).root,
  AQ_FLEET_ALLOW_COMMANDS: '1',
};
/** Says how much processor time (ms) was used since so long after the start that loading is over. */
const METER = `data:text/javascript,${encodeURIComponent(
  `let from; setTimeout(() => { from = [process.cpuUsage(), performance.now()]; }, ${3 * SECOND}).unref();
   process.on('exit', () => { const { user, system } = process.cpuUsage(from[0]);
     process.stderr.write('meter ' + (user + system) / 1000 + ' ' + (performance.now() - from[1]) + String.fromCharCode(10)); });`,
)}`;

export async function benchFleet(): Promise<void> {
  await perJob();
  await claimToStart();
  await idle();
}

function job(cwd: string, script: string): string {
  return `---\nengine: shell\ncwd: ${cwd}\nreview: skip\n---\nDo it.\n\n\`\`\`sh\n${script}\n\`\`\`\n`;
}

async function inFleet<T>(work: (stub: StubCoordinator, factory: Factory) => Promise<T>): Promise<T> {
  const stub = await StubCoordinator.start();
  stub.longPollSec = 30;
  const opened: { factory?: Factory } = {};
  const home = scratch('fleet');
  const fleet = await openFleet({
    home,
    env: { ...GRANTS, AQ_FLEET_API: stub.api },
    capabilities: async () => (await opened.factory?.capabilities()) ?? [],
    shadow: false,
    log: silentLog,
  });
  const factory = await factoryOf(home, fleet);
  opened.factory = factory;
  try {
    await factory.startRunner();
    return await work(stub, factory);
  } finally {
    await factory.dispose();
    await fleet.close();
    await stub.down();
  }
}

/** The bodies of the calls without which the contract cannot be kept for a job that needs no review. */
function fewest(capabilities: unknown, checkpoint: unknown): object[] {
  return [
    { factoryId: 'bench', capabilities },
    { stage: 'building', leaseEpoch: 1 },
    { stage: 'testing', leaseEpoch: 1, checkpoint },
    { stage: 'shipped', leaseEpoch: 1, checkpoint },
  ];
}

async function perJob(): Promise<void> {
  const cwd = repository(10);
  const asked = await inFleet(async (stub) => {
    for (let n = 0; n < JOBS; n += 1) {
      const id = `job-${n}`;
      stub.offer(id, job(cwd, `echo ${n} > made.txt`));
      while (stub.jobs.get(id)?.stage !== 'shipped') await sleep(10);
    }
    return [...stub.requests];
  });
  const ofJobs = asked.filter(({ path: to }) => !to.endsWith('/heartbeat'));
  const { capabilities } = asked[0]?.body ?? {};
  const checkpoint = asked.find(({ body }) => body?.checkpoint !== undefined)?.body.checkpoint;
  const least = fewest(capabilities, checkpoint).map((body) => JSON.stringify(body).length);
  const leastBytes = least.reduce((sum, bytes) => sum + bytes, 0);
  const bodies = ofJobs.reduce((sum, { raw }) => sum + raw.length, 0) / JOBS;
  const heads = ofJobs.reduce((sum, request) => sum + headBytes(request), 0) / JOBS;
  const count = ofJobs.length / JOBS;
  printTable('A claimed job, from claim to shipped', [
    ['', 'here', 'fewest', 'ratio'],
    ['requests', count.toFixed(1), String(least.length), (count / least.length).toFixed(2)],
    ['bytes of bodies', bodies.toFixed(0), String(leastBytes), (bodies / leastBytes).toFixed(2)],
    ['bytes of heads', heads.toFixed(0), '', ''],
  ]);
}

function headBytes({ method, path: to, headers }: Received): number {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  return `${method} ${to} HTTP/1.1\r\n${lines.join('')}\r\n`.length;
}

async function claimToStart(): Promise<void> {
  const cwd = scratch('cwd');
  const began = path.join(cwd, 'began');
  const script = `date +%s%N > ${began}.new; mv ${began}.new ${began}-$n`;
  const startOf = async (n: number): Promise<number> => {
    while (!existsSync(`${began}-${n}`)) await sleep(2);
    return Number(readFileSync(`${began}-${n}`, 'utf8')) / 1e6;
  };
  const { claimed, own } = await inFleet(async (stub, factory) => {
    const claimedMs: number[] = [];
    const ownMs: number[] = [];
    for (let n = 0; n < JOBS * 2; n += 2) {
      while (stub.requests.at(-1)?.body?.waitSec === undefined) await sleep(5);
      const answered = Date.now();
      stub.offer(`job-${n}`, job(cwd, `n=${n}; ${script}`));
      claimedMs.push((await startOf(n)) - answered);
      while (stub.jobs.get(`job-${n}`)?.stage !== 'shipped') await sleep(5);
      const added = Date.now();
      const id = await factory.add(job(cwd, `n=${n + 1}; ${script}`), 'own');
      ownMs.push((await startOf(n + 1)) - added);
      while ((await factory.job(id))?.stage !== 'shipped') await sleep(5);
    }
    return { claimed: median(claimedMs), own: median(ownMs) };
  });
  printTable('Until the engine starts, ms', [
    ['', 'median', 'ratio'],
    ['a job of one’s own, from its file in the inbox', own.toFixed(0), '1.00'],
    ['a claimed job, from the answer to a claim that waits', claimed.toFixed(0), (claimed / own).toFixed(2)],
  ]);
}

async function idle(): Promise<void> {
  const rows: string[][] = [['', 'requests an hour', 'processor s an hour']];
  for (const [name, longPollSec] of [
    ['in no fleet', undefined],
    ['in a fleet that offers no long polling', undefined],
    ['in one that lets a claim wait 50 s', 50],
  ] as const) {
    const stub = await StubCoordinator.start();
    stub.longPollSec = longPollSec;
    const fleet = name === 'in no fleet' ? {} : { ...GRANTS, AQ_FLEET_API: stub.api };
    const child = spawn(process.execPath, ['--import', METER, CLI, '--home', scratch('idle'), 'run'], {
      env: { ...process.env, ...fleet },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const said = text(child.stderr);
    const ended = once(child, 'close');
    await sleep(3 * SECOND);
    const before = stub.requests.length;
    await sleep(IDLE);
    const requests = stub.requests.length - before;
    child.kill('SIGINT');
    await ended;
    await stub.down();
    const [, used = 'NaN', over = 'NaN'] = /meter ([\d.]+) ([\d.]+)/.exec(await said) ?? [];
    const perHour = (Number(used) / Number(over)) * (HOUR / SECOND);
    rows.push([name, String(Math.round((requests * HOUR) / IDLE)), perHour.toFixed(1)]);
  }
  printTable(`An idle factory, from ${IDLE / SECOND} s`, rows);
}
