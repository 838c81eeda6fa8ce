/**
 * Which sets of requirements there are, and which of them a factory can do. There are few, however many jobs there
 * are, so they are kept in memory; this process alone writes the file.
 */
import { missing, offers } from '../rules/matching.ts';
import type { Ready } from '../store.ts';
import type { Statements } from './statements.ts';

interface Shelf extends Ready {
  readonly shelf: number;
}

/** Factories whose answer is remembered. */
const MOST_REMEMBERED = 20_000;

export class Shelves {
  readonly #statements: Statements;
  readonly #byNumber = new Map<number, Shelf>();
  readonly #numbers = new Map<string, number>();
  /** By product and capabilities: the numbers of the shelves, as JSON. */
  readonly #fitting = new Map<string, string>();

  constructor(statements: Statements) {
    this.#statements = statements;
    this.reload();
  }

  /** After a rollback, or at start. */
  reload(): void {
    this.#byNumber.clear();
    this.#numbers.clear();
    this.#fitting.clear();
    const rows = this.#statements.shelves.all() as { shelf: number; product: string; requires: string }[];
    for (const { shelf, product, requires } of rows)
      this.#add(shelf, product, JSON.parse(requires) as string[]);
  }

  at(shelf: number): Ready {
    return this.#byNumber.get(shelf) as Shelf;
  }

  /** The shelf for these requirements, which is made if there is none. */
  for(productId: string, requires: readonly string[]): number {
    const text = JSON.stringify(requires);
    const there = this.#numbers.get(`${productId}\n${text}`);
    if (there !== undefined) return there;
    const shelf = Number(this.#statements.insertShelf.run(productId, text).lastInsertRowid);
    this.#fitting.clear();
    this.#add(shelf, productId, requires);
    return shelf;
  }

  /** Those whose jobs a factory with these capabilities can do, as a JSON list of numbers. */
  fitting(productId: string, capabilities: readonly string[]): string {
    const key = `${productId}\n${capabilities.join('\n')}`;
    const there = this.#fitting.get(key);
    if (there !== undefined) return there;
    const offered = offers(capabilities);
    const numbers = [...this.#byNumber.values()]
      .filter((shelf) => shelf.productId === productId && missing(shelf.requires, offered).length === 0)
      .map(({ shelf }) => shelf);
    if (this.#fitting.size >= MOST_REMEMBERED) this.#fitting.clear();
    const json = JSON.stringify(numbers);
    this.#fitting.set(key, json);
    return json;
  }

  #add(shelf: number, productId: string, requires: readonly string[]): void {
    this.#byNumber.set(shelf, { shelf, productId, requires });
    this.#numbers.set(`${productId}\n${JSON.stringify(requires)}`, shelf);
  }
}
