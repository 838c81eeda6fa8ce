/** Whether the simulator finds each rule that is broken on purpose, and how many seeds that takes. */
import os from 'node:os';
import { Thread } from './threads.ts';
import { VARIANTS, type Variant } from './variants.ts';

export interface Finding {
  readonly variant: Variant;
  /** How many seeds were run, the one that found it included. */
  readonly seeds: number;
  /** Undefined: none of them found it. */
  readonly found: { readonly seed: number; readonly message: string } | undefined;
}

/** @param seeds those that are tried, in this order */
export async function tryVariant(variant: Variant, seeds: readonly number[]): Promise<Finding> {
  await using thread = new Thread(variant);
  for (const [index, seed] of seeds.entries()) {
    const { broken } = await thread.ask({ do: 'run', seed, left: [], traced: false });
    if (broken !== undefined) return { variant, seeds: index + 1, found: { seed, message: broken.message } };
  }
  return { variant, seeds: seeds.length, found: undefined };
}

/** @param most seeds for each  @returns whether all were found */
export async function checkVariants(most: number, say: (line: string) => void): Promise<boolean> {
  const waiting = [...VARIANTS];
  let all = true;
  const work = async () => {
    for (let variant = waiting.shift(); variant !== undefined; variant = waiting.shift()) {
      const seeds = Array.from({ length: most }, (_, n) => n + 1);
      const { found, seeds: count } = await tryVariant(variant, seeds);
      all &&= found !== undefined;
      say(
        found === undefined
          ? `NOT FOUND in ${count} seeds: ${variant.name}`
          : `${String(count).padStart(4)} seeds: ${variant.name}: ${found.message.slice(0, 160)}`,
      );
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, work));
  return all;
}
