/** What this machine offers to jobs (`requires:` in a job, capabilities in a fleet). */

import type { EngineDescriptor } from './descriptor.ts';
import { findEngine } from './detect.ts';
import { findExecutable, type SearchPlace, thisPlace } from './executable.ts';

export interface Machine extends SearchPlace {
  /** Node's name of the processor, e.g. `x64`. */
  readonly arch: string;
  readonly engines: ReadonlyMap<string, EngineDescriptor>;
}

/** This machine, with the engines of a catalogue. */
export function thisMachine(engines: ReadonlyMap<string, EngineDescriptor>): Machine {
  return { ...thisPlace(), arch: process.arch, engines };
}

/**
 * The capabilities that are known without being asked for: `os:linux`, `arch:x64`, `engine:<name>` for every
 * engine whose program is there. No process is run.
 */
export function capabilities(machine: Machine): string[] {
  const found = [...machine.engines.values()].filter(
    (descriptor) => findEngine(descriptor, machine) !== undefined,
  );
  return [
    `os:${osName(machine.platform)}`,
    `arch:${machine.arch}`,
    ...found.map(({ name }) => `engine:${name}`),
  ];
}

/**
 * Whether the machine has one capability: those of `capabilities`, and `tool:<name>` for any program on the PATH.
 * Anything else it has not; who offers more (`repo:…`) asks for that first.
 */
export function hasCapability(capability: string, machine: Machine): boolean {
  const colon = capability.indexOf(':');
  const value = capability.slice(colon + 1);
  switch (capability.slice(0, Math.max(colon, 0))) {
    case 'os':
      return value === osName(machine.platform);
    case 'arch':
      return value === machine.arch;
    case 'engine': {
      const descriptor = machine.engines.get(value);
      return descriptor !== undefined && findEngine(descriptor, machine) !== undefined;
    }
    case 'tool':
      return value !== '' && !/[\\/]/.test(value) && findExecutable([value], machine) !== undefined;
    default:
      return false;
  }
}

function osName(platform: NodeJS.Platform): string {
  return platform === 'win32' ? 'windows' : platform;
}
