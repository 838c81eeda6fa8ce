/** What our activation costs beside extensions that come with VS Code, read from VS Code's own table, in the same hosts. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Writable } from 'node:stream';
import { runTests } from '@vscode/test-electron';
import { build } from 'esbuild';
import { chooseVsCode } from '../test/vscode/desktop.ts';
import { NEWEST } from '../test/vscode/host.ts';
import { CACHE, ROOT } from '../test/vscode/packages.ts';
import { median, printTable, repository, scratch } from './support.ts';

const STARTS = 5;

interface Times {
  readonly id: string;
  readonly load: number;
  readonly call: number;
  readonly finish: number;
}

export async function benchActivation(): Promise<void> {
  const code = await chooseVsCode(NEWEST);
  const bundle = path.join(CACHE, 'bench-probe');
  await mkdir(bundle, { recursive: true });
  await build({
    entryPoints: [path.join(import.meta.dirname, 'activation-probe.ts')],
    outfile: path.join(bundle, 'probe.js'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['vscode'],
  });
  const seen: Times[] = [];
  const workspace = repository(20);
  for (let n = 0; n < STARTS; n += 1) seen.push(...(await once(code.executable, bundle, workspace)));
  await rm(bundle, { recursive: true, force: true });
  const rows = [...new Set(seen.map(({ id }) => id))].map((id) => {
    const of = (pick: (times: Times) => number) => median(seen.filter((each) => each.id === id).map(pick));
    return [
      id,
      String(of((t) => t.load)),
      String(of((t) => t.call)),
      String(of((t) => t.load + t.call)),
      String(of((t) => t.finish)),
    ];
  });
  printTable(`Activation in VS Code ${NEWEST} (median of ${STARTS} starts, ms)`, [
    ['', 'load', 'call', 'load + call', 'finish'],
    ...rows,
  ]);
}

async function once(executable: string | undefined, bundle: string, workspace: string): Promise<Times[]> {
  const folder = scratch('activation');
  const results = path.join(folder, 'times.json');
  await runTests({
    ...(executable !== undefined && { vscodeExecutablePath: executable }),
    extensionDevelopmentPath: ROOT,
    extensionTestsPath: path.join(bundle, 'probe.js'),
    extensionTestsEnv: {
      AQ_HOME: path.join(folder, 'home'),
      AQ_PROBE_RESULTS: results,
      AQ_TEST_VSCODE: NEWEST,
    },
    stdout: silence(),
    stderr: silence(),
    launchArgs: [workspace, `--user-data-dir=${path.join(folder, 'user-data')}`],
  });
  return existsSync(results) ? (JSON.parse(readFileSync(results, 'utf8')) as Times[]) : [];
}

/** What VS Code tells of its own start is not for the table. */
function silence(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
