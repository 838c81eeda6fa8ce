/** undici, without its mark on the process it is loaded into. */
import type * as UndiciModule from 'undici';

const SLOTS = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')];

type Undici = (typeof UndiciModule)['default'];

let loading: Promise<Undici> | undefined;

/**
 * Loads undici when it is first needed. Loading it fills the two places in which an extension host's own `fetch`
 * (and that of every other extension) looks for its dispatcher: they are put back as they were.
 */
export function loadUndici(): Promise<Undici> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Undici> {
  const places = globalThis as unknown as Record<symbol, unknown>;
  const before = SLOTS.map((slot) => places[slot]);
  // The default export: a bundle has no other of a CommonJS module.
  const { default: undici } = await import('undici');
  SLOTS.forEach((slot, index) => {
    places[slot] = before[index];
  });
  return undici;
}
