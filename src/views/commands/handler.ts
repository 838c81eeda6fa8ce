import type { App } from '../app.ts';

/** Carries a command out. `args` are whatever the place that it was called from gives. What it throws is told to the person. */
export type Handler = (app: App, args: readonly unknown[]) => Promise<void>;
