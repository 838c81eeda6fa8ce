/** What VS Code calls inside the extension host (`extensionTestsPath`); built into one folder by run.ts. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import Mocha from 'mocha';
import ResultsReporter from '../support/reporter.ts';
import { marked } from './output.ts';

const { EVENT_FILE_PRE_REQUIRE } = Mocha.Suite.constants;

export async function run(): Promise<void> {
  Mocha.reporters.Base.consoleLog = (...args: unknown[]) => console.log(marked(format(...args)));
  const mocha = new Mocha({
    ui: 'bdd',
    color: false,
    timeout: 20_000,
    forbidOnly: true,
    reporter: ResultsReporter,
  });
  for (const name of readdirSync(import.meta.dirname).sort()) {
    if (name.endsWith('.test.js')) await load(mocha, path.join(import.meta.dirname, name));
  }
  const failures = await new Promise<number>((resolve) => mocha.run(resolve));
  if (failures > 0) throw new Error(`${failures} failed`);
}

/**
 * What mocha's own loader does, but with import(): that one tries require() first, and in older VS Codes the
 * import of `vscode` by a required module never ends (microsoft/vscode#285297).
 */
async function load(mocha: Mocha, file: string): Promise<void> {
  mocha.suite.emit(EVENT_FILE_PRE_REQUIRE, globalThis, file, mocha);
  await import(pathToFileURL(file).href);
}
