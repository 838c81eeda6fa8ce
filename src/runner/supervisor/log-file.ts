/** The log of a run on disk. A disk that is full, or fails, is waited for; the command is not held up by it. */
import { type FileHandle, open } from 'node:fs/promises';
import { SECOND } from '../../platform/clock.ts';
import { errnoOf, messageOf } from '../../platform/errors.ts';

/** Text (characters) waiting for a healthy disk above which the command is slowed down, and below which it may go on. */
const PRESSURE = 256 * 1024;
const RELIEF = 64 * 1024;
/** Text (characters) kept for a disk that refuses; what comes after it is lost, and the log says how much. */
const KEPT = 1024 * 1024;
const RETRY_AFTER = SECOND;

export class LogFile {
  readonly #file: string;
  /** Called when the log can take more after `append` has returned false. */
  readonly #onRelief: () => void;
  #handle: FileHandle | undefined;
  #queue: string[] = [];
  #queued = 0;
  /** Bytes of the queue's head that are on disk already: a full disk takes a write in part. */
  #headWritten = 0;
  #bytes = 0;
  #lost = 0;
  #failing: string | undefined;
  #pressed = false;
  #writing: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(file: string, onRelief: () => void) {
    this.#file = file;
    this.#onRelief = onRelief;
  }

  /** What has reached the file. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes text; never fails. Returns false when the writer should wait for `onRelief` before it brings more. */
  append(text: string): boolean {
    if (this.#failing !== undefined && (this.#lost > 0 || this.#queued + text.length > KEPT)) {
      this.#lost += Buffer.byteLength(text);
      return true;
    }
    this.#queue.push(text);
    this.#queued += text.length;
    if (this.#failing === undefined) this.#write();
    this.#pressed ||= this.#failing === undefined && this.#queued > PRESSURE;
    return !this.#pressed;
  }

  /** Tries to bring everything to the disk, durably; returns whether that is done. Never fails: while the disk refuses, the rest stays for the next try. */
  async flush(): Promise<boolean> {
    await this.#writing;
    this.#write();
    await this.#writing;
    await this.#handle?.sync().catch(() => undefined);
    return this.#failing === undefined;
  }

  async close(): Promise<void> {
    clearTimeout(this.#retry);
    await this.#writing;
    await this.#handle?.close();
  }

  #write(): void {
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  async #drain(): Promise<void> {
    clearTimeout(this.#retry);
    try {
      this.#handle ??= await open(this.#file, 'a', 0o600);
      do {
        await this.#writeHead(this.#handle);
        if (this.#queue.length === 0) this.#recover();
        this.#relieve();
      } while (this.#queue.length > 0);
    } catch (error) {
      this.#failing = errnoOf(error) ?? messageOf(error);
      this.#retry = setTimeout(() => this.#write(), RETRY_AFTER).unref();
      this.#relieve();
    }
  }

  /** Writes all that is queued now, as one piece. */
  async #writeHead(handle: FileHandle): Promise<void> {
    const head = this.#queue.join('');
    this.#queue = [head];
    const bytes = Buffer.from(head);
    while (this.#headWritten < bytes.length) {
      const { bytesWritten } = await handle.write(bytes, this.#headWritten);
      this.#headWritten += bytesWritten;
      this.#bytes += bytesWritten;
    }
    this.#headWritten = 0;
    this.#queue.shift();
    this.#queued -= head.length;
  }

  /** All is written: the disk takes writes, perhaps again. */
  #recover(): void {
    const reason = this.#failing;
    this.#failing = undefined;
    if (this.#lost === 0) return;
    const note = `\n[agent-queue: ${this.#lost} bytes of output are missing here; the log could not be written (${reason})]\n`;
    this.#lost = 0;
    this.#queue.push(note);
    this.#queued += note.length;
  }

  #relieve(): void {
    if (!this.#pressed || (this.#failing === undefined && this.#queued > RELIEF)) return;
    this.#pressed = false;
    this.#onRelief();
  }
}
