/** Logs of jobs as files that grow while they are shown. */
import * as vscode from 'vscode';
import { messageOf } from '../../platform/errors.ts';
import { ACTIVE_STAGES, type Stage } from '../../runner/stages.ts';
import type { App } from '../app.ts';
import type { FileSource } from '../read-only-files.ts';
import { LogFollower } from './follower.ts';
import { stayAtEnd } from './stay-at-end.ts';
import { jobOfLog } from './uri.ts';

export class LogFiles implements FileSource {
  readonly #app: App;
  readonly #followers = new Map<string, LogFollower>();

  constructor(app: App, context: vscode.ExtensionContext) {
    this.#app = app;
    context.subscriptions.push(vscode.workspace.onDidChangeTextDocument(stayAtEnd), {
      dispose: () => this.#followers.forEach((follower) => follower.dispose()),
    });
  }

  async read(uri: vscode.Uri): Promise<Uint8Array> {
    const kept = this.#followers.get(uri.toString());
    const follower = kept ?? new LogFollower(() => undefined);
    await this.#aim(uri, follower, kept !== undefined);
    return follower.content(this.#app.t);
  }

  follow(uri: vscode.Uri, changed: () => void): vscode.Disposable {
    const key = uri.toString();
    const follower = new LogFollower(changed);
    this.#followers.set(key, follower);
    const aim = async (): Promise<void> => {
      try {
        if (await this.#aim(uri, follower, true)) changed();
      } catch (error) {
        this.#app.log.warn(`The log at ${uri.path} is not followed: ${messageOf(error)}`);
      }
    };
    void aim();
    const boards = this.#app.board.onDidChange(() => void aim());
    return new vscode.Disposable(() => {
      boards.dispose();
      follower.dispose();
      if (this.#followers.get(key) === follower) this.#followers.delete(key);
    });
  }

  /** Points a follower at the job's newest log; it goes on looking only while the job is being worked on. True when there is more to show. */
  async #aim(uri: vscode.Uri, follower: LogFollower, mayFollow: boolean): Promise<boolean> {
    const factory = await this.#app.home.factory();
    const job = await factory.job(jobOfLog(uri));
    if (job === undefined) throw vscode.FileSystemError.FileNotFound(uri);
    if (job.log === undefined) return false;
    const active = (ACTIVE_STAGES as readonly Stage[]).includes(job.stage);
    return follower.show(job.log, mayFollow && active);
  }
}
