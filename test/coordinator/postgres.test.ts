/** What every store must do, on PostgreSQL. */
import { PostgresStore } from '../../src/coordinator/postgres/store.ts';
import { DEFAULT_SETTINGS } from '../../src/coordinator/settings.ts';
import { messageOf } from '../../src/platform/errors.ts';
import { serverConformance } from './conformance/servers.ts';
import { storeConformance } from './conformance/stores.ts';
import { Postgres } from './support/postgres.ts';
import type { Kind } from './support/worlds.ts';

describe('on PostgreSQL', function () {
  this.timeout(60_000);
  let postgres: Postgres | undefined;
  let url: string;
  let worlds = 0;

  before(async function () {
    try {
      postgres = await Postgres.start();
    } catch (error) {
      console.error(`No PostgreSQL: ${messageOf(error)}`);
      return this.skip();
    }
    url = await postgres.database();
  });
  after(() => postgres?.stop());

  const kind: Kind = {
    name: 'PostgreSQL',
    isDurable: true,
    world: (settings) => {
      worlds += 1;
      const world = worlds;
      return (clock, name = 'one') =>
        new PostgresStore({
          url,
          clock,
          settings: { ...DEFAULT_SETTINGS, ...settings },
          schema: `w${world}_${name}`,
        });
    },
  };
  storeConformance(kind);
  serverConformance(kind);
});
