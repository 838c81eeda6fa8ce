import type { Diagnostic } from '../../runner/manifest/diagnostic.ts';
import type { Position, Range } from '../../runner/manifest/text.ts';
import type { Translate } from './translate.ts';

export interface Fix {
  readonly title: string;
  readonly diagnostic: Diagnostic;
  readonly range: Range;
  readonly replacement: string;
}

/** A fix for each diagnostic in `range` (or touching it) that knows what was probably meant. */
export function fixesFor(diagnostics: readonly Diagnostic[], range: Range, t: Translate): readonly Fix[] {
  return diagnostics.flatMap((diagnostic) => {
    const { suggestion } = diagnostic;
    const apart = isBefore(diagnostic.range.end, range.start) || isBefore(range.end, diagnostic.range.start);
    if (suggestion === undefined || apart) return [];
    const title = t('Change to {0}', suggestion);
    return [{ title, diagnostic, range: diagnostic.range, replacement: suggestion }];
  });
}

function isBefore(a: Position, b: Position): boolean {
  return a.line < b.line || (a.line === b.line && a.character < b.character);
}
