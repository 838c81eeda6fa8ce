/**
 * `npm run check:engines`: holds the built-in descriptors against the real programs. Takes those that npm has
 * (programs.ts of the conformance kit installs them), and runs them in a scratch HOME, without account
 * and with every proxy pointing at a closed port, so that nothing leaves the machine. Says for each engine whether
 *
 * - detection finds its version,
 * - it accepts our arguments: for a new session, with yolo, and for a resumed one,
 * - and refuses an argument that does not exist (else the acceptance would mean nothing).
 *
 * Accepted means: what it prints is not its complaint about arguments. `npm run check:engines -- claude codex`
 * checks only those.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { commandFor, type EngineCommand } from '../src/runner/engines/command.ts';
import type { EngineDescriptor, EventDigest } from '../src/runner/engines/descriptor.ts';
import { detectEngines } from '../src/runner/engines/detect.ts';
import { engineEnvironment } from '../src/runner/engines/environment.ts';
import { emptyDigest, readEvent } from '../src/runner/engines/events.ts';
import { engineCatalog } from '../src/runner/engines/registry.ts';
import { installed, PACKAGES, type Package } from '../test/engines/programs.ts';

/** amp is only here: without an account it does nothing that the conformance kit could look at. */
const CHECKED: Readonly<Record<string, Package>> = { ...PACKAGES, amp: { name: '@sourcegraph/amp' } };
const CLOSED_PORT = 'http://127.0.0.1:9';
const RUN_MS = 20_000;
const COMPLAINT =
  /unknown (option|argument|command)|unexpected argument|unrecognized (option|argument)|missing required|^usage:|^Options:$|invalid value|show help/im;
const NONSENSE = '--agent-queue-nonsense';

interface Outcome {
  readonly check: string;
  readonly good: boolean;
  readonly detail: string;
}

const wanted = process.argv.slice(2);
const { descriptors } = engineCatalog();
let faults = 0;

for (const [name, spec] of Object.entries(CHECKED)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const descriptor = descriptors.get(name);
  if (descriptor === undefined) throw new Error(`no descriptor ${name}`);
  for (const { check, good, detail } of await checkEngine(descriptor, spec)) {
    if (!good) faults++;
    console.log(`${name.padEnd(10)} ${check.padEnd(18)} ${good ? 'ok  ' : 'FAIL'}  ${detail}`);
  }
}
console.log(faults === 0 ? 'All checks passed.' : `${faults} checks failed.`);
process.exitCode = faults === 0 ? 0 : 1;

async function checkEngine(descriptor: EngineDescriptor, spec: Package): Promise<Outcome[]> {
  const program = programOf(descriptor.name, spec);
  if (program === undefined)
    return [{ check: 'install', good: false, detail: `${spec.name}: no program found` }];
  const [detected] = await detectEngines([{ ...descriptor, executable: [program] }], { timeoutMs: RUN_MS });
  if (!detected?.found) return [{ check: 'detect', good: false, detail: program }];
  const version = detected.version ?? 'no version';
  const outcomes = [{ check: 'version', good: detected.version !== undefined, detail: version }];

  const scratch = mkdtempSync(path.join(os.tmpdir(), 'aq-check-'));
  try {
    const base = {
      descriptor,
      executable: detected.executable,
      cwd: path.join(scratch, 'work'),
      promptFile: path.join(scratch, 'prompt.md'),
    };
    mkdirSync(base.cwd);
    writeFileSync(base.promptFile, 'Say hello.\n');
    const sessionId = descriptor.name === 'amp' ? `T-${randomUUID()}` : randomUUID();
    const fresh = { ...base, sessionId: randomUUID(), resume: false };
    outcomes.push(await accepts('new session', scratch, commandFor({ ...fresh, yolo: false }), descriptor));
    outcomes.push(
      await accepts(
        'yolo',
        scratch,
        commandFor({ ...fresh, sessionId: randomUUID(), yolo: true }),
        descriptor,
      ),
    );
    if (descriptor.resumeArgs !== undefined) {
      const command = commandFor({ ...base, sessionId, resume: true, yolo: true });
      outcomes.push(await accepts('resume, yolo', scratch, command, descriptor));
    }
    outcomes.push(await refuses(scratch, commandFor({ ...fresh, yolo: false }), descriptor));
  } finally {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
  }
  return outcomes;
}

function programOf(name: string, spec: Package): string | undefined {
  try {
    return installed(name, spec);
  } catch {
    return undefined;
  }
}

async function accepts(
  check: string,
  scratch: string,
  command: EngineCommand,
  descriptor: EngineDescriptor,
): Promise<Outcome> {
  const { output, ending, digest } = await run(scratch, command, descriptor);
  const said = digest.error ?? digest.text ?? lastLine(output);
  return {
    check,
    good: !COMPLAINT.test(output),
    detail: `${ending}${digest.final ? ', final event' : ''}: ${short(said)}`,
  };
}

async function refuses(
  scratch: string,
  command: EngineCommand,
  descriptor: EngineDescriptor,
): Promise<Outcome> {
  const { output, ending } = await run(
    scratch,
    { ...command, args: [...command.args, NONSENSE] },
    descriptor,
  );
  const complaint = output
    .split('\n')
    .find((line) => line.includes('agent-queue-nonsense') || /agentQueueNonsense/.test(line));
  const good = COMPLAINT.test(output) && ending !== 'exit 0';
  return { check: 'refuses nonsense', good, detail: `${ending}: ${short(complaint ?? lastLine(output))}` };
}

interface Ran {
  readonly output: string;
  readonly ending: string;
  readonly digest: EventDigest;
}

async function run(
  scratch: string,
  { command, args, stdin, env }: EngineCommand,
  descriptor: EngineDescriptor,
): Promise<Ran> {
  const home = mkdtempSync(path.join(scratch, 'home-'));
  const noNetwork = {
    HTTPS_PROXY: CLOSED_PORT,
    HTTP_PROXY: CLOSED_PORT,
    https_proxy: CLOSED_PORT,
    http_proxy: CLOSED_PORT,
  };
  const { all, stdout, exitCode, timedOut } = await execa(command, args, {
    cwd: path.join(scratch, 'work'),
    env: {
      ...engineEnvironment({ PATH: process.env['PATH'] }, descriptor, {
        HOME: home,
        USERPROFILE: home,
        ...noNetwork,
      }),
      ...env,
    },
    extendEnv: false,
    ...(stdin === null ? { stdin: 'ignore' as const } : { inputFile: stdin }),
    all: true,
    reject: false,
    timeout: RUN_MS,
    forceKillAfterDelay: 2000,
    killDescendants: true,
  });
  const rules = descriptor.events;
  const digest = stdout
    .split('\n')
    .reduce((digest, line) => (rules ? readEvent(rules, digest, line) : digest), emptyDigest);
  return { output: all, digest, ending: timedOut ? 'still at work after 20 s' : `exit ${exitCode ?? '?'}` };
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? '';
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
