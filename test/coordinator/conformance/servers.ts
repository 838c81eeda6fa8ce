/** The coordinator over HTTP, on whichever store. */
import { ServerWorld } from '../support/http.ts';
import type { Kind } from '../support/worlds.ts';
import { accessConformance } from './access.ts';
import { endpointsConformance } from './endpoints.ts';
import { hostileConformance } from './hostile.ts';
import { waitingConformance } from './waiting.ts';

const TOPICS = {
  endpoints: endpointsConformance,
  access: accessConformance,
  hostile: hostileConformance,
  waiting: waitingConformance,
};

export function serverConformance(kind: Kind): void {
  describe(`the coordinator's server on the ${kind.name} store`, () => {
    for (const [topic, conformance] of Object.entries(TOPICS))
      describe(topic, () => {
        let world: ServerWorld;
        beforeEach(async () => {
          world = await ServerWorld.open(kind);
        });
        afterEach(() => world.close());
        conformance(() => world);
      });
  });
}
