import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** What oxlint says, by the project's rules, of a file of the room that imports `target`. */
function lint(room: string, target: string): { status: number | null; output: string } {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'aq-rooms-'));
  try {
    const file = path.join(scratch, 'src', room, 'arrow.ts');
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `import * as other from '${target}';\nexport const seen = other;\n`);
    copyFileSync(path.join(ROOT, '.oxlintrc.json'), path.join(scratch, '.oxlintrc.json'));
    const oxlint = path.join(ROOT, 'node_modules/oxlint/bin/oxlint');
    const { status, stdout } = spawnSync(process.execPath, [oxlint, '--deny-warnings'], {
      cwd: scratch,
      encoding: 'utf8',
    });
    return { status, output: stdout };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

describe('the arrows between the rooms', () => {
  const forbidden = [
    ['platform', '../runner/stages.ts', 'platform is the lowest room'],
    ['platform', 'vscode', 'platform is the lowest room'],
    ['runner', '../fleet/session.ts', 'the runner knows no fleet'],
    ['runner', '../views/home.ts', 'the runner knows no fleet'],
    ['runner', 'node:http', 'the runner knows no fleet'],
    ['runner', '../platform/undici.ts', 'the runner knows no fleet'],
    ['runner', '../trackers/echo.ts', 'the runner knows no fleet'],
    ['runner', 'vscode', 'the runner knows no fleet'],
    ['fleet', '../trackers/echo.ts', 'the fleet sees only'],
    ['trackers', '../fleet/client.ts', 'a tracker sees only'],
    ['trackers', '../runner/stages.ts', 'a tracker sees only'],
    ['trackers', 'vscode', 'a tracker sees only'],
    ['cli', 'vscode', 'the command line runs without an editor'],
  ] as const;
  for (const [room, target, reason] of forbidden) {
    it(`forbid ${room} to import ${target}`, () => {
      const { status, output } = lint(room, target);
      assert.equal(status, 1);
      assert.match(
        output,
        new RegExp(`no-restricted-imports[^]*${reason}|${reason}[^]*no-restricted-imports`),
      );
    });
  }

  it('let the runner import the platform', () => {
    const { status, output } = lint('runner', '../platform/clock.ts');
    assert.equal(status, 0, output);
  });

  it('let a tracker import the platform and the runner’s hook types', () => {
    for (const target of ['../platform/undici.ts', '../runner/hooks.ts']) {
      const { status, output } = lint('trackers', target);
      assert.equal(status, 0, output);
    }
  });
});
