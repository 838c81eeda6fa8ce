/** What a command's output said, folded as it comes. */
import type { EventDigest, EventRules } from '../engines/descriptor.ts';
import { emptyDigest, readEvent } from '../engines/events.ts';

/** An event longer than this (characters) is passed over: memory stays flat whatever is printed. */
const LONGEST_EVENT = 8 * 1024 * 1024;
/** How much of plain text counts as the last output (bytes). */
const LAST_OUTPUT = 16 * 1024;

export interface DigestReader {
  /** Takes a piece of the output, redacted. */
  push(text: string): void;
  /** The output has ended. */
  end(): void;
  readonly digest: EventDigest;
}

/** Reads standard output as JSON lines. */
export class EventReader implements DigestReader {
  readonly #rules: EventRules;
  readonly #onFinal: () => void;
  #line: string[] = [];
  #length = 0;
  digest: EventDigest = emptyDigest;

  /** @param onFinal called once, with the first final event */
  constructor(rules: EventRules, onFinal: () => void) {
    this.#rules = rules;
    this.#onFinal = onFinal;
  }

  push(text: string): void {
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      this.#extend(text.slice(from, end));
      this.end();
      from = end + 1;
    }
    this.#extend(text.slice(from));
  }

  end(): void {
    const line = this.#line.join('');
    const readable = this.#length <= LONGEST_EVENT;
    this.#line = [];
    this.#length = 0;
    if (!readable || line.trim() === '') return;
    const before = this.digest;
    this.digest = readEvent(this.#rules, before, line);
    if (this.digest.final && !before.final) this.#onFinal();
  }

  #extend(text: string): void {
    this.#length += text.length;
    if (this.#length <= LONGEST_EVENT) this.#line.push(text);
    else this.#line = [];
  }
}

/** Keeps the last lines of plain text. */
export class TextReader implements DigestReader {
  #tail = '';

  push(text: string): void {
    this.#tail += text;
    // Seldom, because it copies; a character is a byte at least.
    if (this.#tail.length > 8 * LAST_OUTPUT) this.#tail = this.#tail.slice(-LAST_OUTPUT).toWellFormed();
  }

  end(): void {
    // Nothing is kept back.
  }

  get digest(): EventDigest {
    const text = lastLines(this.#tail, LAST_OUTPUT).trim();
    return text === '' ? emptyDigest : { ...emptyDigest, text };
  }
}

/** The last whole lines that fit into `limit` bytes; of a single longer line its end. */
export function lastLines(text: string, limit: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  let start = bytes.length - limit;
  // Not in the middle of a character: bytes 10xxxxxx go on with one.
  while (((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  const tail = bytes.subarray(start);
  const line = tail.subarray(0, -1).indexOf('\n');
  return tail.subarray(line + 1).toString();
}
