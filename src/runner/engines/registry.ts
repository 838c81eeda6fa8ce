/** All engines that a job may name: the built-in ones, and a person's own from the settings. */
import { BUILTIN_ENGINES } from './builtin.ts';
import { customEngines, type EngineProblem } from './custom.ts';
import type { EngineDescriptor } from './descriptor.ts';

export interface EngineCatalog {
  /** By name: built-in ones first, in their order. */
  readonly descriptors: ReadonlyMap<string, EngineDescriptor>;
  /** Faults in the setting; the engines that they stand at are as if they were not set. */
  readonly problems: readonly EngineProblem[];
}

/** The catalogue with the setting `agentQueue.engines` applied. Never throws. */
export function engineCatalog(customSettings?: unknown): EngineCatalog {
  const descriptors = new Map(BUILTIN_ENGINES.map((engine) => [engine.name, engine]));
  const { engines, problems } = customEngines(customSettings, descriptors);
  for (const engine of engines) descriptors.set(engine.name, engine);
  return { descriptors, problems };
}
