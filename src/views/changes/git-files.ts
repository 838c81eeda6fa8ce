/** Files as commits have them: bytes as they are, so that images are compared as images. */
import * as vscode from 'vscode';
import type { App } from '../app.ts';
import type { FileSource } from '../read-only-files.ts';
import { ByteCache } from './byte-cache.ts';
import { fileOfUri } from './uri.ts';

const CACHE_BYTES = 32 * 1024 * 1024;

/** What a commit holds never changes, so that each file is asked for once. */
export function gitFiles(app: App): FileSource {
  const cache = new ByteCache(CACHE_BYTES);
  return {
    async read(uri) {
      const file = fileOfUri(uri);
      if (file === undefined) throw vscode.FileSystemError.FileNotFound(uri);
      const content = await cache.get(uri.toString(), async () => {
        const factory = await app.home.factory();
        return factory.fileAt(file.repository, file.commit, file.path);
      });
      if (content === undefined) throw vscode.FileSystemError.FileNotFound(uri);
      return content;
    },
  };
}
