/** Looks for tokens where none may be: on command lines, in what children see of the environment, in files and output. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { processesIn } from './processes.ts';

/** How often processes are looked at, ms. */
const EVERY = 200;

export class SecretWatch {
  readonly #folder: string;
  readonly #secrets: readonly string[];
  readonly #found = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(folder: string, secrets: readonly string[]) {
    this.#folder = folder;
    this.#secrets = secrets;
    this.#timer = setInterval(() => this.#look(), EVERY);
  }

  #look(): void {
    for (const { command, environment } of processesIn(this.#folder)) {
      if (this.#isIn(command)) this.#found.add(`on the command line of ${command.split(' ')[0]}`);
      // `aq run` itself is given its token there.
      if (!/cli\.js .*\brun$/.test(command) && this.#isIn(environment.toString('latin1')))
        this.#found.add(`in the environment of “${command.slice(0, 120)}”`);
    }
  }

  /** @param output of all processes @param except files that hold one because they must */
  end(output: readonly string[], except: readonly string[]): string[] {
    clearInterval(this.#timer);
    for (const line of output) if (this.#isIn(line)) this.#found.add('in what a process printed');
    for (const entry of readdirSync(this.#folder, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      if (!entry.isFile() || except.includes(file)) continue;
      if (this.#isIn(readFileSync(file, 'latin1')))
        this.#found.add(`in the file ${path.relative(this.#folder, file)}`);
    }
    return [...this.#found];
  }

  #isIn(text: string): boolean {
    return this.#secrets.some((secret) => text.includes(secret));
  }
}
