/** Which jobs a command is for: what it was given, else what the person picks from a list of those that fit. */
import * as vscode from 'vscode';
import type { JobRow } from '../../runner/board.ts';
import type { App } from '../app.ts';
import { sectionsOf } from '../inbox/sections.ts';
import type { Element } from '../inbox/view.ts';
import { jobRow } from '../text/job-row.ts';
import { noSuchJob } from '../text/messages.ts';

/** What key bindings of the Inbox pass, since a key press comes without a row. */
const SELECTION = 'selection';

export interface Choice {
  readonly fits: (job: JobRow) => boolean;
  readonly ask: string;
  /** Said when no job fits. */
  readonly none: string;
}

/** Empty when the person has dismissed the list, or has been told that there is nothing to choose from. Throws a UserError when a job that was named is gone. */
export async function chooseJobs(
  app: App,
  args: readonly unknown[],
  choice: Choice,
): Promise<readonly JobRow[]> {
  const named = namedJobs(app, args);
  if (named !== undefined && named.length > 0) return Promise.all(named.map((id) => find(app, id)));
  const board = await app.board.read();
  const fitting = sectionsOf(board, new Map()).flatMap(({ jobs }) => jobs.filter(choice.fits));
  if (fitting.length === 0) {
    void vscode.window.showInformationMessage(choice.none);
    return [];
  }
  const now = Date.now();
  const items = fitting.map((job) => {
    const { label, description, icon } = jobRow(job, now, app.t);
    return { label, description, iconPath: new vscode.ThemeIcon(icon), job };
  });
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder: choice.ask,
    matchOnDescription: true,
  });
  return picked === undefined ? [] : [picked.job];
}

/** Ids of the jobs that the caller means; undefined when it names none. */
function namedJobs(app: App, [first, second]: readonly unknown[]): readonly string[] | undefined {
  if (first === SELECTION) return app.selection().map((job) => job.id);
  if (typeof first === 'string') return [first];
  if (!isElement(first)) return undefined;
  const elements = Array.isArray(second) && second.length > 0 ? second.filter(isElement) : [first];
  return elements.map(idOf).filter((id) => id !== undefined);
}

function isElement(value: unknown): value is Element {
  return typeof value === 'object' && value !== null && typeof (value as { id?: unknown }).id === 'string';
}

/** The job's id in the id of its row (tree.ts), `section/id`. */
function idOf({ id }: Element): string | undefined {
  const [, job] = /^[^/]+\/([^/].*)$/s.exec(id) ?? [];
  return job;
}

async function find(app: App, id: string): Promise<JobRow> {
  const factory = await app.home.factory();
  const job = await factory.job(id);
  if (job === undefined) throw noSuchJob(id, app.t);
  return job;
}
