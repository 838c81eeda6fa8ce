/** What a person asks of the fleet, in whichever window: carried out where the runner is, which has the leases. */
import type { CommandAnswer, FleetCommand } from '../runner/hooks.ts';
import type { Operator } from './operator.ts';

/** @throws UserError in words when it cannot be done now */
export async function carryOut(
  operator: Operator,
  { fleet: verb, id = '' }: FleetCommand,
): Promise<CommandAnswer> {
  switch (verb) {
    case 'drain':
    case 'leave':
      await operator.drain(true, { leaving: verb === 'leave' });
      return done('Draining: nothing more is claimed; jobs in work go on to their end.');
    case 'resume':
      await operator.drain(false);
      return done('This factory claims jobs again.');
    case 'release':
      await operator.release(id);
      return done(`The lease of ${id} is given back.`);
    case 'claim':
      return (await operator.claimNow())
        ? done('A job was claimed.')
        : { ok: false, code: 'empty', message: 'There is no job to claim for this factory now.' };
  }
}

function done(message: string): CommandAnswer {
  return { ok: true, message };
}
