/** Engines as small programs, in the form of the setting `agentQueue.engines`. */
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { scratchFolder } from './scratch.ts';

/** How the programs here speak: `{"type":"init","id":…}`, then `{"type":"result","ok":…,"text":…}`. */
export const EVENTS = {
  final: [{ type: 'result' }],
  failed: [{ type: 'result', ok: false }],
  error: [{ path: 'text', when: { type: 'result', ok: false } }],
  session: [{ path: 'id', when: { type: 'init' } }],
  text: [{ path: 'text', when: { type: 'result' } }],
};

/** An entry of the setting for an engine that runs a shell script; its prompt comes on standard input. */
export function scriptEngine(lines: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { executable: program(lines), args: [], ...more };
}

/** An executable file that runs a shell script. */
export function program(lines: string, name = 'engine'): string {
  const file = path.join(scratchFolder('aq-engine-'), name);
  writeFileSync(file, `#!/bin/sh\n${lines}\n`);
  chmodSync(file, 0o755);
  return file;
}

/**
 * An engine with sessions that its caller can resume: it notes its arguments and what it was told in `calls`, one
 * file a run, and then runs `lines` in its working directory.
 */
export function sessionEngine(
  calls: string,
  lines: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const engine = [
    `n=$(ls ${quoted(calls)} | wc -l); f=${quoted(calls)}/$((n + 1))`,
    `{ echo "args: $*"; cat; } > "$f"`,
    `echo '{"type":"init","id":"session-7"}'`,
    lines,
    `echo '{"type":"result","ok":true,"text":"Done as told."}'`,
  ];
  return scriptEngine(engine.join('\n'), {
    session: 'told',
    resumeArgs: ['--resume', '{sessionId}'],
    events: EVENTS,
    ...more,
  });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
