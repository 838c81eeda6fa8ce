import { removeScratch } from '../runner/support/scratch.ts';
import { storeConformance } from './conformance/stores.ts';
import { KINDS } from './support/worlds.ts';

after(removeScratch);
for (const kind of KINDS) storeConformance(kind);
