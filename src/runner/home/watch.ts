/** Tells of changes in a home, whoever makes them. Watchers miss things, so whoever listens also looks now and then. */
import { type FSWatcher, watch } from 'node:fs';
import path from 'node:path';
import { STAGES } from '../stages.ts';
import type { Layout } from './layout.ts';

export interface HomeListener {
  /** A file of the inbox appeared, changed or went; undefined: some did. */
  inbox(name: string | undefined): void;
  /** A request or an answer appeared. */
  commands(): void;
  /** Anything else that the board shows. */
  board(): void;
  /** What has been used today is another, or a person has said that more may be. */
  spend(): void;
  /** The configuration that a window and `aq` share was written. */
  config(): void;
}

export class HomeWatcher {
  readonly #watchers: FSWatcher[] = [];

  constructor(layout: Layout, listener: HomeListener) {
    this.#on(layout.stage('queued'), (name) => listener.inbox(name));
    this.#on(layout.commands, () => listener.commands());
    this.#on(layout.spend, () => listener.spend());
    this.#on(layout.root, (name) => {
      if (name === undefined || name === path.basename(layout.config)) listener.config();
    });
    // The journal lies in the root and is touched at every change of a job.
    for (const directory of [layout.root, ...STAGES.slice(1).map((stage) => layout.stage(stage))]) {
      this.#on(directory, () => listener.board());
    }
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
  }

  #on(directory: string, listener: (name: string | undefined) => void): void {
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => listener(name ?? undefined));
      // A watched directory that goes away or a system out of watches: the slow look remains.
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch {
      // The same, at the start.
    }
  }
}
