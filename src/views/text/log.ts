/** The frame around a job's log. */
import type { Translate } from './translate.ts';

export interface LogText {
  readonly text: string;
  /** Bytes of the file that stand before the text. */
  readonly skipped: number;
  /** The address of the whole file. */
  readonly address: string;
}

/** The log as it is shown: with a first line when its beginning is left out (editors make a link of the address), and a word when there is nothing yet. */
export function logText({ text, skipped, address }: LogText, t: Translate): string {
  if (skipped > 0)
    return `${t('[The first {0} are left out. The whole log: {1}]', bytes(skipped), address)}\n${text}`;
  return text === '' ? t('[Nothing has been written yet.]') : text;
}

/** A size for people: `640 B`, `12 KiB`, `3.4 MiB`. */
export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const kibibytes = count / 1024;
  return kibibytes < 1024 ? `${Math.round(kibibytes)} KiB` : `${(kibibytes / 1024).toFixed(1)} MiB`;
}
