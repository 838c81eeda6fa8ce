/** What the views and the command line read of quarantine. */
import { UserError } from '../../platform/errors.ts';
import type { CommandAnswer, JobCommand } from '../board.ts';
import type { Store } from '../home/store.ts';
import type { Workshop } from '../steps/workshop.ts';
import { type Comparison, compare, compareFile, type FileComparison } from './compare.ts';
import { entryOf, type PageRequest, pageOf, type QuarantineEntry, type QuarantinePage } from './entries.ts';
import { patchOf } from './patch.ts';

export class QuarantineReader {
  readonly #store: Store;
  readonly #shop: Workshop;
  readonly #execute: (command: JobCommand) => Promise<CommandAnswer>;

  constructor(store: Store, shop: Workshop, execute: (command: JobCommand) => Promise<CommandAnswer>) {
    this.#store = store;
    this.#shop = shop;
    this.#execute = execute;
  }

  /** Newest first; those that have been settled only with `all`. */
  page(request: PageRequest): Promise<QuarantinePage> {
    return pageOf(this.#store, this.#shop, request);
  }

  /** Undefined: there is no such job in quarantine. */
  entry(id: string): Promise<QuarantineEntry | undefined> {
    return entryOf(this.#store, this.#shop, id);
  }

  /**
   * Beside the work of whoever has the job now. One that turns out to be the same as what has shipped is discarded by
   * that, and `closed` says so.
   * @throws UserError in words when there is no such job, or its work is gone
   */
  async compare(id: string): Promise<Comparison & { readonly closed: boolean }> {
    const entry = await this.#found(id);
    const comparison = await compare(this.#shop, entry);
    const { verdict, text } = comparison;
    const closes = verdict.kind === 'same' && verdict.closes && entry.settled === undefined;
    const closed = closes && (await this.#execute({ verb: 'discard', id: entry.id, text })).ok;
    return { ...comparison, closed };
  }

  /** One file of a comparison in full. */
  compareFile(comparison: Comparison, file: string): Promise<FileComparison> {
    return compareFile(this.#shop.git, comparison, file);
  }

  /** The whole work as one patch that `git am` takes. @throws UserError in words when it is gone */
  async patch(id: string): Promise<Uint8Array> {
    return patchOf(this.#shop.git, await this.#found(id));
  }

  async #found(id: string): Promise<QuarantineEntry> {
    const entry = await this.entry(id);
    if (entry !== undefined) return entry;
    throw new UserError(
      'no-such-job',
      `There is no ${id} in quarantine.`,
      'See `aq quarantine list --all` for those there are.',
    );
  }
}
