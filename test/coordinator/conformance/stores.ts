/** What every store must do, whichever database is under it. */
import { Desk, type Kind, type StoreWorld, TestClock } from '../support/worlds.ts';
import { adoptingConformance } from './adopting.ts';
import { attemptsConformance } from './attempts.ts';
import { durabilityConformance } from './durability.ts';
import { leasesConformance } from './leases.ts';
import { peopleConformance } from './people.ts';
import { queueConformance } from './queue.ts';
import { repeatsConformance } from './repeats.ts';

const TOPICS = {
  leases: leasesConformance,
  repeats: repeatsConformance,
  attempts: attemptsConformance,
  queue: queueConformance,
  people: peopleConformance,
  adopting: adoptingConformance,
};

export function storeConformance(kind: Kind): void {
  describe(`the ${kind.name} store`, () => {
    for (const [topic, conformance] of Object.entries(TOPICS))
      describe(topic, () => {
        let world: StoreWorld;
        beforeEach(() => {
          const clock = new TestClock();
          const store = kind.world()(clock);
          world = { clock, store, desk: new Desk(store) };
        });
        afterEach(() => world.store.close());
        conformance(() => world);
      });
    if (kind.isDurable) describe('durability', () => durabilityConformance(kind));
  });
}
