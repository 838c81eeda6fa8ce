/** Documents that come from us: read-only files under a scheme of our own. The code that makes them is read when the first is opened. */
import * as vscode from 'vscode';
import type { Feature } from './feature.ts';

export interface FileSource {
  /** The whole content. Throws FileNotFound for an address that it does not know. */
  read(uri: vscode.Uri): Promise<Uint8Array>;
  /** Tells of changes until it is disposed of; absent where content never changes. */
  follow?(uri: vscode.Uri, changed: () => void): vscode.Disposable;
}

export class ReadOnlyFiles implements Feature, vscode.FileSystemProvider {
  readonly #scheme: string;
  readonly #load: () => Promise<FileSource>;
  readonly #changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  #source: Promise<FileSource> | undefined;
  /** The modification time that the editor is told: any number that grows with each change. */
  #version = 0;

  readonly onDidChangeFile = this.#changed.event;

  constructor(scheme: string, load: () => Promise<FileSource>) {
    this.#scheme = scheme;
    this.#load = load;
  }

  register(context: vscode.ExtensionContext): void {
    const options = { isReadonly: true, isCaseSensitive: true };
    context.subscriptions.push(
      this.#changed,
      vscode.workspace.registerFileSystemProvider(this.#scheme, this, options),
    );
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return (await this.#open()).read(uri);
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const { byteLength } = await this.readFile(uri);
    return { type: vscode.FileType.File, ctime: 0, mtime: this.#version, size: byteLength };
  }

  /** The editor watches what it shows, and only as long as it shows it. */
  watch(uri: vscode.Uri): vscode.Disposable {
    let following: vscode.Disposable | undefined;
    let over = false;
    const begin = async (): Promise<void> => {
      const source = await this.#open();
      if (!over) following = source.follow?.(uri, () => this.#tell(uri));
    };
    void begin();
    return new vscode.Disposable(() => {
      over = true;
      following?.dispose();
    });
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  #open(): Promise<FileSource> {
    this.#source ??= this.#load();
    return this.#source;
  }

  #tell(uri: vscode.Uri): void {
    this.#version += 1;
    this.#changed.fire([{ type: vscode.FileChangeType.Changed, uri }]);
  }
}
