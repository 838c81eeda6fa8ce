/** Which engines this machine has, and in which version: found out when a person is about to choose one, never before. */
import path from 'node:path';
import * as vscode from 'vscode';
import { SECOND } from '../platform/clock.ts';
import type { EngineDescriptor } from '../runner/engines/descriptor.ts';
import { type DetectedEngine, detectEngines } from '../runner/engines/detect.ts';
import type { App } from './app.ts';
import { engineDetail } from './text/engine.ts';

/** A person who types waits no longer than this, ms; what is not known by then is known the next time. */
const PATIENCE = 300;
/** People install and update programs: found out anew after this long, ms. */
const GOOD_FOR = 60 * SECOND;

export class InstalledEngines {
  readonly #app: Pick<App, 'home' | 'log' | 't'>;
  #detected: Promise<readonly DetectedEngine[]> | undefined;
  #since = 0;

  constructor(app: Pick<App, 'home' | 'log' | 't'>) {
    this.#app = app;
  }

  /** By name, in words. Asking for a version runs the engine's program, so nothing is asked in an untrusted workspace. */
  async details(engines: readonly EngineDescriptor[]): Promise<ReadonlyMap<string, string>> {
    if (!vscode.workspace.isTrusted) return new Map();
    const known = await Promise.race([this.#detect(engines), nothingAfter(PATIENCE)]);
    const labels = new Map(engines.map(({ name, label }) => [name, label]));
    return new Map(
      known.map((engine) => [
        engine.name,
        engineDetail(labels.get(engine.name) ?? engine.name, engine, this.#app.t),
      ]),
    );
  }

  #detect(engines: readonly EngineDescriptor[]): Promise<readonly DetectedEngine[]> {
    const now = performance.now();
    if (this.#detected !== undefined && now - this.#since < GOOD_FOR) return this.#detected;
    this.#since = now;
    const cacheFile = path.join(this.#app.home.layout.cache, 'engines.json');
    this.#detected = detectEngines(engines, { cacheFile }).catch((error: unknown) => {
      this.#app.log.warn(`The installed engines were not found out: ${String(error)}`);
      return [];
    });
    return this.#detected;
  }
}

function nothingAfter(ms: number): Promise<readonly DetectedEngine[]> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, []);
  });
}
