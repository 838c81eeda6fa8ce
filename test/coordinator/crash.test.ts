import path from 'node:path';
import { removeScratch, scratchFolder } from '../runner/support/scratch.ts';
import { crashConformance } from './conformance/crashes.ts';
import { usePostgres } from './support/postgres.ts';

describe('the coordinator, killed under load', function () {
  this.timeout(60_000);

  describe('on a file', () => {
    let file: string;
    before(() => {
      file = path.join(scratchFolder('aq-coordinator-'), 'c.db');
    });
    after(removeScratch);
    crashConformance(() => file);
  });

  describe('on PostgreSQL', () => {
    const postgres = usePostgres();
    crashConformance(() => postgres.url);
  });

  describe('when it is PostgreSQL that crashes', () => {
    const postgres = usePostgres();
    const crash = async () => {
      await postgres.server.crash();
      await postgres.server.up();
    };
    crashConformance(() => postgres.url, crash);
  });
});
