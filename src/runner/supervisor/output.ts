/**
 * What a command prints, on its way to the log: bytes become valid UTF-8, secrets are taken out, and the two
 * streams are put together line by line.
 */
import { createRedactor, type Redactor } from './redact.ts';

/** An unfinished line is shown after this long (ms) without more of it: prompts and progress are seen live. */
const SHOW_UNFINISHED_AFTER = 150;
/** An unfinished line longer than this (characters) is not kept together. */
const LONGEST_LINE = 64 * 1024;

/** Puts streams together: a line of one is never written into a line of the other. */
export class LineMerger {
  readonly #write: (text: string) => void;
  #unfinishedBy: OutputStream | undefined;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  write(text: string, by: OutputStream): void {
    if (text === '') return;
    const cut = this.#unfinishedBy !== undefined && this.#unfinishedBy !== by;
    this.#unfinishedBy = text.endsWith('\n') ? undefined : by;
    this.#write(cut ? `\n${text}` : text);
  }
}

/** One of a command's output streams. */
export class OutputStream {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #redactor: Redactor;
  readonly #merger: LineMerger;
  readonly #onText: ((text: string) => void) | undefined;
  #line = '';
  #idle: NodeJS.Timeout | undefined;

  /** @param onText takes the text as it becomes known, redacted, in pieces of any length */
  constructor(secrets: readonly string[], merger: LineMerger, onText?: (text: string) => void) {
    this.#redactor = createRedactor(secrets);
    this.#merger = merger;
    this.#onText = onText;
  }

  push(bytes: Uint8Array): void {
    this.#show(this.#redactor.push(this.#decoder.decode(bytes, { stream: true })));
  }

  /** No more comes: everything that was kept back goes out. Can be called again. */
  end(): void {
    this.#show(this.#redactor.push(this.#decoder.decode()) + this.#redactor.flush());
    this.#showUnfinished();
  }

  #show(text: string): void {
    if (text === '') return;
    this.#onText?.(text);
    const all = this.#line + text;
    const end = all.length > LONGEST_LINE && !all.includes('\n') ? all.length : all.lastIndexOf('\n') + 1;
    this.#line = all.slice(end);
    this.#merger.write(all.slice(0, end), this);
    clearTimeout(this.#idle);
    if (this.#line !== '') this.#idle = setTimeout(() => this.#showUnfinished(), SHOW_UNFINISHED_AFTER);
  }

  #showUnfinished(): void {
    clearTimeout(this.#idle);
    this.#merger.write(this.#line, this);
    this.#line = '';
  }
}
