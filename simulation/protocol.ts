/** What the command and its threads say to each other. */

export type Task = { readonly seed: number; readonly left: readonly string[] } & (
  | { readonly do: 'run'; readonly traced: boolean }
  | { readonly do: 'shrink'; readonly rule: string; readonly budgetMs: number }
);

export interface Answer {
  readonly seed: number;
  /** What had been left out. */
  readonly left: readonly string[];
  readonly broken?: { readonly rule: string; readonly message: string };
  /** Virtual time of all factories together. */
  readonly factoryMs: number;
  readonly steps: number;
  /** Time of a processor that it took. */
  readonly cpuMs: number;
  readonly tally: { readonly claims: number; readonly reports: number; readonly landings: number };
  readonly timeline?: string;
  /** The same for two runs only if everything that happened in them is. */
  readonly digest?: string;
}
