import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { SECOND } from '../../src/platform/clock.ts';
import { CACHE } from '../vscode/packages.ts';
import type { Server } from '../vscode/server.ts';
import { openWorkbench, type WorkbenchOptions } from '../vscode/workbench-page.ts';

/** How long (ms) what was asked for may take to be on the screen; two busy cores are slow. */
const PATIENCE = 30 * SECOND;

const THEMES = {
  dark: { name: 'Dark 2026', marker: 'vs-dark' },
  light: { name: 'Light 2026', marker: 'vs' },
} as const;

/**
 * VS Code's window as a person sees and uses it. Every method waits until what it needs is on the screen, and
 * throws after half a minute; none waits for a fixed time.
 */
export class Workbench {
  readonly page: Page;
  readonly #server: Server;

  private constructor(page: Page, server: Server) {
    this.page = page;
    this.#server = server;
    page.setDefaultTimeout(PATIENCE);
  }

  /** Opens the window in `page`, and returns when it is on the screen. */
  static async open(page: Page, server: Server, options: WorkbenchOptions = {}): Promise<Workbench> {
    await openWorkbench(page, server, options);
    return new Workbench(page, server);
  }

  /** Loads the window again, as `Developer: Reload Window` does. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.page.locator('.part.statusbar .statusbar-item').first().waitFor();
  }

  /** Runs a command by its full name in the palette, e.g. `Agent Queue: Show Output`. */
  async command(name: string): Promise<void> {
    // The palette closes by itself when something else takes the focus: a person would open it again.
    for (let left = 3; left >= 0; left -= 1) {
      const options = left > 0 ? { timeout: PATIENCE / 6 } : {};
      try {
        await this.page.keyboard.press('F1');
        await this.#field().fill(`>${name}`, options);
        await this.option(name).click(options);
        return;
      } catch (error) {
        if (left === 0) throw error;
        await this.page.keyboard.press('Escape');
      }
    }
  }

  /** Fills the input field that VS Code shows at the top; does not confirm it. */
  async answer(text: string): Promise<void> {
    await this.#field().fill(text);
  }

  #field(): Locator {
    return this.page.locator('.quick-input-widget input:visible').first();
  }

  /** A row of the list at the top (palette, quick pick) whose label is `label`. */
  option(label: string): Locator {
    return this.page
      .locator('.quick-input-list .monaco-list-row')
      .filter({ has: this.page.locator('.label-name').getByText(label, { exact: true }) })
      .first();
  }

  /** Shows a container of the activity bar, e.g. `Agent Queue`. Does nothing when it is shown. */
  async container(title: string): Promise<void> {
    const item = this.page.locator('.activitybar .action-item').filter({
      has: this.page.locator(`a.action-label[aria-label^="${title}"]`),
    });
    await item.waitFor();
    const isShown = /\bchecked\b/.test((await item.getAttribute('class')) ?? '');
    if (!isShown) await item.click();
  }

  /** A tree view by its title, e.g. `Inbox`. Its container must be shown. */
  view(title: string): TreeView {
    return new TreeView(this.page, title);
  }

  /** The notification in the corner that holds `text`. */
  toast(text: string | RegExp): Toast {
    return new Toast(
      this.page.locator('.notifications-toasts .notification-list-item', { hasText: text }).first(),
    );
  }

  /** The modal question that holds `text`; `button('Ship')` answers it. */
  dialog(text: string | RegExp): Toast {
    return new Toast(this.page.locator('.monaco-dialog-box', { hasText: text }));
  }

  /** An entry of the status bar that holds `text`. */
  statusItem(text: string | RegExp): Locator {
    return this.page.locator('.part.statusbar .statusbar-item', { hasText: text }).first();
  }

  /** The tab of an open editor whose title holds `title`. */
  tab(title: string | RegExp): Locator {
    return this.page.locator('.editor-group-container .tab', { hasText: title }).first();
  }

  /** Presses keys as on a keyboard, e.g. `Control+S`, one after the other. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** Types where the focus is. */
  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }

  /** Changes settings, as if in settings.json; VS Code takes them over by itself, a moment later. */
  async configure(settings: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#server.configure(settings);
  }

  /** Changes the colours, and returns when they are on the screen. */
  async setTheme(theme: keyof typeof THEMES): Promise<void> {
    const { name, marker } = THEMES[theme];
    await this.configure({ 'window.autoDetectColorScheme': false, 'workbench.colorTheme': name });
    await this.page.locator(`.monaco-workbench.${marker}`).waitFor();
  }

  /** Saves a picture of the window as `<folder>/<name>.png`, and returns its path. */
  async screenshot(name: string, folder = path.join(CACHE, 'screenshots')): Promise<string> {
    const file = path.join(folder, `${name}.png`);
    await mkdir(folder, { recursive: true });
    await this.page.screenshot({ path: file, animations: 'disabled' });
    return file;
  }
}

/** A row of a tree, as its text shows it. */
export interface Row {
  readonly label: string;
  readonly description: string;
  /** 1 for the rows at the top. */
  readonly level: number;
}

/** A tree view. Rows that are scrolled out of sight do not exist for it. */
class TreeView {
  readonly #page: Page;
  readonly #tree: Locator;

  constructor(page: Page, title: string) {
    this.#page = page;
    this.#tree = page.getByRole('tree', { name: title, exact: true });
  }

  /** What the rows say now. */
  async rows(): Promise<Row[]> {
    await this.#tree.waitFor();
    const rows = await this.#tree.locator('.monaco-list-row').all();
    return Promise.all(
      rows.map(async (row) => ({
        label: (await row.locator('.label-name').first().innerText()).trim(),
        description: (await row.locator('.label-description').allInnerTexts()).join(' ').trim(),
        level: Number(await row.getAttribute('aria-level')),
      })),
    );
  }

  /** The first row that holds `text`; waiting for it is waiting for the job to be there. */
  row(text: string | RegExp): Locator {
    return this.#tree.locator('.monaco-list-row', { hasText: text }).first();
  }

  /** Clicks a row, and returns when it is the selected one. */
  async click(text: string | RegExp): Promise<void> {
    const selected = this.#tree.locator('.monaco-list-row[aria-selected="true"]', { hasText: text }).first();
    // A row that is drawn anew between mouse down and mouse up loses the click: a person would click again.
    for (let left = 3; left >= 0; left -= 1) {
      await this.row(text).click();
      const options = left > 0 ? { timeout: PATIENCE / 10 } : {};
      const isSelected = await selected.waitFor(options).then(
        () => true,
        () => false,
      );
      if (isSelected) return;
    }
    throw new Error(`A click does not select the row ${text}.`);
  }

  /** Clicks one of the small buttons that a row shows when the mouse is on it, by its name. */
  async action(text: string | RegExp, name: string): Promise<void> {
    const row = this.row(text);
    await row.hover();
    await row.getByRole('button', { name }).first().click();
  }

  /** Chooses an entry of a row's context menu. */
  async menu(text: string | RegExp, entry: string): Promise<void> {
    await this.row(text).click({ button: 'right' });
    // Not by its name alone, which has the shortcut in it.
    const label = this.#page.getByText(entry, { exact: true });
    await this.#page.getByRole('menuitem').filter({ has: label }).click();
  }
}

/** A notification or a modal question. */
class Toast {
  readonly element: Locator;

  constructor(element: Locator) {
    this.element = element;
  }

  /** Waits for it, and returns what it says. */
  async text(): Promise<string> {
    const message = this.element.locator('.notification-list-item-message, .dialog-message-text').first();
    return (await message.innerText()).trim();
  }

  /** Waits for it, and clicks one of its buttons. */
  async button(name: string): Promise<void> {
    await this.element.getByRole('button', { name, exact: true }).click();
  }
}
