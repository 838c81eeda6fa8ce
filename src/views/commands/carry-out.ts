/** What all verbs have in common: choose the jobs, refuse by the rule, ask what must be asked, carry out, tell. */
import * as vscode from 'vscode';
import type { CommandAnswer, JobRow, JobVerb } from '../../runner/board.ts';
import { allowedVerbs } from '../../runner/job/allowed.ts';
import type { App } from '../app.ts';
import { VIEWS } from '../contributions.ts';
import { mention } from '../report.ts';
import { notAllowed, pickText, sentences } from '../text/messages.ts';
import { chooseJobs } from './choose.ts';

export interface Asked {
  /** The comment or the reason. */
  readonly text?: string;
  /** Of a result in quarantine, where not all of it is meant. */
  readonly files?: readonly string[];
}

/**
 * Carries a verb out for each chosen job that it is allowed for. `ask` may ask the person something first;
 * undefined means that they have thought better of it. Throws a UserError when it is allowed for none.
 */
export async function carryOut(
  app: App,
  verb: JobVerb,
  args: readonly unknown[],
  ask: (jobs: readonly JobRow[]) => Promise<Asked | undefined> = () => Promise.resolve({}),
): Promise<readonly CommandAnswer[]> {
  const fits = (job: JobRow): boolean => allowedVerbs(job).includes(verb);
  const chosen = await chooseJobs(app, args, { fits, ...pickText(verb, app.t) });
  const [first] = chosen;
  if (first === undefined) return [];
  const jobs = chosen.filter(fits);
  if (jobs.length === 0) throw notAllowed(verb, first, allowedVerbs(first), app.t);
  const asked = await ask(jobs);
  if (asked === undefined) return [];
  return request(
    app,
    verb,
    jobs.map((job) => job.id),
    asked,
  );
}

/** Passes the request on, with progress in the view; tells of refusals, and in passing of what went as asked. */
export async function request(
  app: App,
  verb: JobVerb,
  ids: readonly string[],
  asked: Asked = {},
): Promise<readonly CommandAnswer[]> {
  const factory = await app.home.factory();
  const answers = await vscode.window.withProgress({ location: { viewId: VIEWS.inbox } }, () =>
    Promise.all(ids.map((id) => factory.execute({ verb, id, ...asked }))),
  );
  const refused = answers.filter((answer) => !answer.ok);
  const done = answers.filter((answer) => answer.ok);
  if (refused.length > 0) void vscode.window.showWarningMessage(sentences(refused));
  if (done.length > 0) mention(sentences(done));
  return answers;
}
