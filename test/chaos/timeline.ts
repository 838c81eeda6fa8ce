/** What happened, as one list in the order of time: what was done to each machine, and what it did and said. */
interface Entry {
  /** ms from the beginning. */
  readonly at: number;
  readonly who: string;
  readonly text: string;
}

export class Timeline {
  readonly #from = performance.now();
  readonly #entries: Entry[] = [];

  /** ms from the beginning. */
  now(): number {
    return performance.now() - this.#from;
  }

  add(who: string, text: string, at = this.now()): void {
    this.#entries.push({ at, who, text });
  }

  /** One line for each entry; all, or those that name one of the words and those of `always`. */
  lines(words: readonly string[] = [], always: readonly string[] = []): string[] {
    const matters = ({ who, text }: Entry) =>
      words.length === 0 || always.includes(who) || words.some((word) => names(text, word));
    return this.#entries
      .filter(matters)
      .toSorted((one, other) => one.at - other.at)
      .map(({ at, who, text }) => `${(at / 1000).toFixed(3).padStart(8)} s  ${who.padEnd(11)}  ${text}`);
  }
}

/** `job-1` is named by `job-1-e2`, not by `job-10`. */
function names(text: string, word: string): boolean {
  const at = text.indexOf(word);
  return at >= 0 && !/\d/.test(text[at + word.length] ?? '');
}
