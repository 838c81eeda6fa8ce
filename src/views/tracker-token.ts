/** The editor's own sign-in to GitHub, for comments on the issues of jobs that name one. It keeps the token, not we. */
import * as vscode from 'vscode';
import type { App } from './app.ts';

const GITHUB = 'github.com';
/** To comment on issues, those of private repositories as well. */
const SCOPES = ['repo'];
const NOT_ASKED_AGAIN = 'tracker.doNotAsk';

export class TrackerTokens {
  readonly #app: Pick<App, 't' | 'log'>;
  readonly #memento: vscode.Memento;
  readonly #given: () => void;
  #asked = false;

  /** @param given called when a person has signed in */
  constructor(app: Pick<App, 't' | 'log'>, memento: vscode.Memento, given: () => void) {
    this.#app = app;
    this.#memento = memento;
    this.#given = given;
  }

  /** The token for a host, if a person has signed in to it. Asks, once, where nobody has. */
  async tokenFor(host: string): Promise<string | undefined> {
    if (host !== GITHUB) return undefined;
    const session = await vscode.authentication.getSession('github', SCOPES, { silent: true });
    if (session === undefined) void this.#ask();
    return session?.accessToken;
  }

  async #ask(): Promise<void> {
    if (this.#asked || this.#memento.get(NOT_ASKED_AGAIN) === true) return;
    this.#asked = true;
    const { t, log } = this.#app;
    const [signIn, never] = [t('Sign In to GitHub'), t("Don't Ask Again")];
    const answer = await vscode.window.showInformationMessage(
      t('A job names an issue on GitHub that is to be told how it gets on. The job goes on without.'),
      signIn,
      never,
    );
    if (answer === never) await this.#memento.update(NOT_ASKED_AGAIN, true);
    if (answer !== signIn) return;
    try {
      await vscode.authentication.getSession('github', SCOPES, { createIfNone: true });
      this.#given();
    } catch (error) {
      log.warn(`Nobody has signed in to GitHub: ${String(error)}`);
    }
  }
}
