import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

export interface FullDisk extends Disposable {
  /** How many files it has not taken. */
  refused(): number;
}

/** From now on the disk takes no file whose path holds `part`; until it is disposed of. */
export function fullDisk(part: string): FullDisk {
  const { open } = fs.promises;
  let refused = 0;
  fs.promises.open = (file, ...rest) => {
    if (!String(file).includes(part)) return open(file, ...rest);
    refused += 1;
    return Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }));
  };
  syncBuiltinESMExports();
  return {
    refused: () => refused,
    [Symbol.dispose]: () => {
      fs.promises.open = open;
      syncBuiltinESMExports();
    },
  };
}
