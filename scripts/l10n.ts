/**
 * `node scripts/l10n.ts`: writes l10n/bundle.l10n.json, the messages to translate, from the sources. Own code,
 * because the usual extractor sees only literal calls of vscode.l10n.t, and the texts here are made by functions
 * that are given a `t`, so that they run without an editor.
 */
import { globSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

const ROOT = path.dirname(import.meta.dirname);
const BUNDLE = path.join(ROOT, 'l10n', 'bundle.l10n.json');

/** A call of `t` with a literal as its first argument. */
const CALL = /\bt\(\s*('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`)/g;

/** All messages of the views, sorted. Throws for one whose text is not fixed, since nobody could translate it. */
export function collectMessages(): string[] {
  const messages = new Set<string>();
  for (const file of globSync('src/views/**/*.ts', { cwd: ROOT }).sort()) {
    for (const [, literal = ''] of readFileSync(path.join(ROOT, file), 'utf8').matchAll(CALL)) {
      if (literal.startsWith('`') && literal.includes('${'))
        throw new Error(`${file}: ${literal} is no fixed text.`);
      messages.add(
        literal
          .slice(1, -1)
          .replace(/\\(['"`\\])/g, '$1')
          .replaceAll(String.raw`\n`, '\n'),
      );
    }
  }
  return [...messages].sort();
}

/** The bundle as it should be: the English text is the key and the value. */
export function bundleText(): string {
  return `${JSON.stringify(Object.fromEntries(collectMessages().map((message) => [message, message])), null, 2)}\n`;
}

if (import.meta.main) {
  await mkdir(path.dirname(BUNDLE), { recursive: true });
  await writeFile(BUNDLE, bundleText());
}
