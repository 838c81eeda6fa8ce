/** What every store must do, on PostgreSQL. */
import { PostgresStore } from '../../src/coordinator/postgres/store.ts';
import { DEFAULT_SETTINGS } from '../../src/coordinator/settings.ts';
import { serverConformance } from './conformance/servers.ts';
import { storeConformance } from './conformance/stores.ts';
import { usePostgres } from './support/postgres.ts';
import type { Kind } from './support/worlds.ts';

describe('on PostgreSQL', function () {
  this.timeout(60_000);
  const postgres = usePostgres();
  let worlds = 0;

  const kind: Kind = {
    name: 'PostgreSQL',
    isDurable: true,
    world: (settings) => {
      worlds += 1;
      const world = worlds;
      return (clock, name = 'one') =>
        new PostgresStore({
          url: postgres.url,
          clock,
          settings: { ...DEFAULT_SETTINGS, ...settings },
          schema: `w${world}_${name}`,
        });
    },
  };
  storeConformance(kind);
  serverConformance(kind);
});
