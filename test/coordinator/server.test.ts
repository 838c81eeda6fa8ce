import { removeScratch } from '../runner/support/scratch.ts';
import { serverConformance } from './support/server-conformance.ts';
import { KINDS } from './support/worlds.ts';

after(removeScratch);
for (const kind of KINDS) serverConformance(kind);
