/** The marker in the home says whether a person wants a runner; it outlives the window, so that the next one goes on. */
import { rm, writeFile } from 'node:fs/promises';
import { errnoOf } from '../../platform/errors.ts';
import { mention } from '../report.ts';
import { runnerText } from '../text/status-bar.ts';
import type { Handler } from './handler.ts';

/** Becomes the runner, now or as soon as no other process is. */
export const startRunner: Handler = async (app) => {
  const factory = await app.home.factory();
  await writeFile(app.home.layout.runnerMarker, '', { mode: 0o600 });
  await factory.startRunner();
  const { runner } = await app.board.read();
  if (runner.kind === 'elsewhere') mention(app.t('Runner: {0}', runnerText(runner, app.t)));
};

export const stopRunner: Handler = async (app) => {
  const factory = await app.home.factory();
  const { runner } = await app.board.read();
  await rm(app.home.layout.runnerMarker).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
  await factory.stopRunner();
  const { t } = app;
  if (runner.kind === 'elsewhere') {
    mention(t('This window will not run jobs; {0} (pid {1}) still does.', runner.what, runner.pid));
  } else {
    mention(t('The runner is stopped. Engines that run go on, and the next runner takes them up.'));
  }
};
