import type { Translate } from './translate.ts';

/** An engine as it is on this machine. */
export function engineDetail(
  label: string,
  engine: { readonly found: true; readonly version: string | undefined } | { readonly found: false },
  t: Translate,
): string {
  if (!engine.found) return t('{0}, not installed', label);
  return engine.version === undefined ? label : `${label} ${engine.version}`;
}
