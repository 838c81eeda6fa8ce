/**
 * Which sets of requirements there are, and which of them a factory can do. There are few, however many jobs there
 * are, and they never change, so every process keeps them in memory and asks only for those that came since. That
 * works because their numbers grow in the order of their commits: whoever makes one locks the table.
 */
import type { ClientBase } from 'pg';
import { missing, offers } from '../rules/matching.ts';
import type { Ready } from '../store.ts';

export interface ShelfRow {
  readonly shelf: number;
  readonly product: string;
  readonly requires: string;
}

interface Shelf extends Ready {
  readonly shelf: number;
}

export interface Fitting {
  readonly numbers: readonly number[];
  readonly has: (shelf: number) => boolean;
}

/** Factories whose answer is remembered. */
const MOST_REMEMBERED = 20_000;

export class Shelves {
  /** The highest number that is known. */
  known = 0;
  readonly #byNumber = new Map<number, Shelf>();
  readonly #numbers = new Map<string, number>();
  readonly #fitting = new Map<string, Fitting>();

  learn(rows: readonly ShelfRow[]): void {
    for (const { shelf, product, requires } of rows) {
      if (shelf <= this.known) continue;
      this.known = shelf;
      this.#byNumber.set(shelf, { shelf, productId: product, requires: JSON.parse(requires) as string[] });
      this.#numbers.set(keyOf(product, requires), shelf);
      this.#fitting.clear();
    }
  }

  at(shelf: number): Ready | undefined {
    return this.#byNumber.get(shelf);
  }

  numberOf({ productId, requires }: Ready): number | undefined {
    return this.#numbers.get(keyOf(productId, JSON.stringify(requires)));
  }

  /** Those whose jobs a factory with these capabilities can do. */
  fitting(productId: string, capabilities: readonly string[]): Fitting {
    const key = keyOf(productId, capabilities.join('\n'));
    const there = this.#fitting.get(key);
    if (there !== undefined) return there;
    const offered = offers(capabilities);
    const numbers = [...this.#byNumber.values()]
      .filter((shelf) => shelf.productId === productId && missing(shelf.requires, offered).length === 0)
      .map(({ shelf }) => shelf);
    const set = new Set(numbers);
    const fitting = { numbers, has: (shelf: number) => set.has(shelf) };
    if (this.#fitting.size >= MOST_REMEMBERED) this.#fitting.clear();
    this.#fitting.set(key, fitting);
    return fitting;
  }

  /** In a transaction of its own: a shelf on which no job stands yet does no harm. */
  async make(client: ClientBase, schema: string, wanted: readonly Ready[]): Promise<void> {
    await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
    try {
      await client.query(`LOCK TABLE ${schema}.shelves IN SHARE ROW EXCLUSIVE MODE`);
      const { rows } = await client.query<ShelfRow>(
        `SELECT * FROM ${schema}.shelves WHERE shelf > $1 ORDER BY shelf`,
        [this.known],
      );
      let last = Math.max(this.known, ...rows.map(({ shelf }) => shelf));
      const there = new Set(rows.map(({ product, requires }) => keyOf(product, requires)));
      const made: ShelfRow[] = [];
      for (const { productId, requires } of wanted) {
        const text = JSON.stringify(requires);
        if (there.has(keyOf(productId, text)) || this.#numbers.has(keyOf(productId, text))) continue;
        last += 1;
        there.add(keyOf(productId, text));
        made.push({ shelf: last, product: productId, requires: text });
      }
      for (const { shelf, product, requires } of made)
        await client.query(`INSERT INTO ${schema}.shelves VALUES ($1, $2, $3)`, [shelf, product, requires]);
      await client.query('COMMIT');
      this.learn([...rows, ...made]);
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }
}

/** No product has a line break in its name. */
function keyOf(productId: string, text: string): string {
  return `${productId}\n${text}`;
}
