import { removeScratch } from '../runner/support/scratch.ts';
import { serverConformance } from './conformance/servers.ts';
import { KINDS } from './support/worlds.ts';

after(removeScratch);
for (const kind of KINDS) serverConformance(kind);
