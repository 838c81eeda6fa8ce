import { Writable } from 'node:stream';

/** Begins each line of the suite's own report, which comes mixed with what VS Code says of itself. */
const MARK = '│ ';

/** How many lines of VS Code's own are kept for the case that no report comes. */
const KEPT_LINES = 100;

/** `text` with every line marked as the suite's own. */
export function marked(text: string): string {
  return text.replaceAll(/^/gm, MARK);
}

/** Prints the marked lines as they come, and keeps the last of the others. */
export class SuiteOutput extends Writable {
  #rest = '';
  readonly #others: string[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const lines = (this.#rest + chunk.toString()).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith(MARK)) console.log(line.slice(MARK.length));
      else if (this.#others.push(line) > KEPT_LINES) this.#others.shift();
    }
    done();
  }

  /** What VS Code said last, for people who look for the reason of a run without a report. */
  others(): string {
    return [...this.#others, this.#rest].join('\n');
  }
}
