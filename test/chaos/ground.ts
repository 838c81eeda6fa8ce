/** Where it all happens: one folder, the repository `origin.git` that nobody works in, and each machine's clone of it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { MACHINES, type Machine, type PlannedJob } from './plan.ts';

/** Where a machine's home directory has what. */
export const CLONE = 'code';
export const QUEUE = 'queue';
/** Local ids of jobs whose script has come to its end, one a line. */
export const FINISHED = 'finished';
/** The environment that each script saw, a file each. */
export const SEEN = 'seen';

export class Ground {
  readonly folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'aq-chaos-')));
  readonly origin = path.join(this.folder, 'origin.git');

  constructor() {
    const seed = path.join(this.folder, 'seed');
    this.git('init', '-q', '--bare', '-b', 'main', this.origin);
    // Every landing leaves a trace that no later one can hide.
    this.git('-C', this.origin, 'config', 'core.logAllRefUpdates', 'always');
    this.git('clone', '-q', this.origin, seed);
    writeFileSync(path.join(seed, 'README.md'), '# Tools\n');
    this.git('-C', seed, 'add', '.');
    this.git('-C', seed, 'commit', '-q', '-m', 'Start');
    this.git('-C', seed, 'push', '-q', 'origin', 'HEAD:main');
    rmSync(seed, { recursive: true });
    for (const name of ['coordinator/tmp', 'origin-tmp'])
      mkdirSync(path.join(this.folder, name), { recursive: true });
    for (const machine of MACHINES) {
      for (const name of ['tmp', SEEN]) mkdirSync(this.of(machine, name), { recursive: true });
      this.git('clone', '-q', this.origin, this.of(machine, CLONE));
      // It stands for another machine: no power cut of this one ends its processes.
      const elsewhere = `env TMPDIR=${this.folder}/origin-tmp git-receive-pack`;
      this.git('-C', this.of(machine, CLONE), 'config', 'remote.origin.receivepack', elsewhere);
      // In one clone main is checked out, in the others it is not: landing is another act then.
      if (machine !== 'ada') this.git('-C', this.of(machine, CLONE), 'switch', '-q', '-c', 'desk');
    }
  }

  /** In a machine's home directory. */
  of(machine: Machine, ...names: readonly string[]): string {
    return path.join(this.folder, machine, ...names);
  }

  git(...args: string[]): string {
    const who = ['-c', 'user.name=Pat', '-c', 'user.email=pat@example.invalid'];
    return execFileSync('git', [...who, ...args], {
      env: { PATH: process.env['PATH'], HOME: this.folder, GIT_CONFIG_NOSYSTEM: '1' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trimEnd();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The Markdown of a job: it writes one file that says whose work it is. */
export function bodyOf({ id, ship, workMs, fails }: PlannedJob): string {
  return `---
engine: shell
cwd: ~/${CLONE}
base: main
ship: ${ship}
review: skip
---
# Do ${id}

\`\`\`sh
env > "$HOME/${SEEN}/$AQ_JOB_ID.$$"
sleep ${workMs / 1000}
echo "work of $AQ_JOB_ID" > ${id}.txt
echo "$AQ_JOB_ID" >> "$HOME/${FINISHED}"
${fails ? 'exit 1' : ''}
\`\`\`
`;
}
