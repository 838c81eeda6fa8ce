import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A folder of a test's own under the system's temporary one, gone at the end of its scope. */
export class Scratch implements Disposable {
  readonly folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'aq-engines-test-')));

  path(...parts: string[]): string {
    return path.join(this.folder, ...parts);
  }

  /** Writes an executable file and returns its path. */
  program(name: string, text: string): string {
    const file = this.path(name);
    writeFileSync(file, text, { mode: 0o755 });
    return file;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
