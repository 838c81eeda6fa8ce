/** Keeps what was used last, up to a number of bytes. */
export class ByteCache {
  readonly #limit: number;
  readonly #entries = new Map<string, Uint8Array>();
  readonly #loading = new Map<string, Promise<Uint8Array | undefined>>();
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The content under a key; loaded once, also when it is asked for again meanwhile. What is undefined, or fails, is not kept. */
  async get(key: string, load: () => Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
    const kept = this.#entries.get(key);
    if (kept !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, kept);
      return kept;
    }
    const pending = this.#loading.get(key) ?? load().finally(() => this.#loading.delete(key));
    this.#loading.set(key, pending);
    const content = await pending;
    if (content !== undefined) this.#keep(key, content);
    return content;
  }

  #keep(key: string, content: Uint8Array): void {
    if (content.byteLength > this.#limit || this.#entries.has(key)) return;
    this.#entries.set(key, content);
    this.#bytes += content.byteLength;
    for (const [oldest, { byteLength }] of this.#entries) {
      if (this.#bytes <= this.#limit) return;
      this.#entries.delete(oldest);
      this.#bytes -= byteLength;
    }
  }
}
