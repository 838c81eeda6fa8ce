/** The end of a file that grows, read piece by piece. */
import { open } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';
import { errnoOf } from '../../platform/errors.ts';

export const TAIL_BYTES = 1024 * 1024;
/** Cutting the front at every piece would copy the whole again and again. */
const SLACK = TAIL_BYTES / 4;

const LINE_FEED = 0x0a;

export class LogTail {
  readonly file: string;
  #bytes = Buffer.alloc(0);
  /** How far the file has been read. */
  #offset = 0;
  #last: Promise<boolean> = Promise.resolve(false);

  constructor(file: string) {
    this.file = file;
  }

  /** Bytes of the file that stand before `text`. */
  get skipped(): number {
    return this.#offset - this.#bytes.length;
  }

  /** What has been read, at most the last 1 MiB (and a quarter), from the start of a line; without control sequences, and without half a character at the end. */
  get text(): string {
    return stripVTControlCharacters(new TextDecoder().decode(this.#bytes, { stream: true }));
  }

  /**
   * Reads what has been written since the last time; true when there was something. A file that isn't there (yet)
   * is an empty one; one that has become shorter is read anew. Calls at the same time follow one another: two
   * that began at one place would have its text twice.
   */
  read(): Promise<boolean> {
    const reading = this.#last.then(() => this.#readNew());
    this.#last = reading.catch(() => false);
    return reading;
  }

  async #readNew(): Promise<boolean> {
    let handle: Awaited<ReturnType<typeof open>>;
    try {
      handle = await open(this.file, 'r');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
    try {
      const { size } = await handle.stat();
      if (size < this.#offset) this.#restart();
      if (size === this.#offset) return false;
      const from = Math.max(this.#offset, size - TAIL_BYTES);
      if (from > this.#offset) this.#bytes = Buffer.alloc(0);
      const piece = Buffer.alloc(size - from);
      const { bytesRead } = await handle.read(piece, 0, piece.length, from);
      this.#bytes = Buffer.concat([this.#bytes, piece.subarray(0, bytesRead)]);
      this.#offset = from + bytesRead;
      this.#cut(from > 0 && this.#bytes.length === bytesRead);
      return true;
    } finally {
      await handle.close();
    }
  }

  #restart(): void {
    this.#bytes = Buffer.alloc(0);
    this.#offset = 0;
  }

  /** Leaves whole lines only; `midLine` says that the front may be the rest of one. */
  #cut(midLine: boolean): void {
    const tooLong = this.#bytes.length > TAIL_BYTES + SLACK;
    if (!tooLong && !midLine) return;
    const rest = tooLong ? this.#bytes.subarray(this.#bytes.length - TAIL_BYTES) : this.#bytes;
    const line = rest.indexOf(LINE_FEED);
    this.#bytes = Buffer.from(line < 0 ? rest : rest.subarray(line + 1));
  }
}
