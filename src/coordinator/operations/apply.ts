/** One operation on one transaction: where the names of operations meet what they do. */
import type { CoordinatorSettings } from '../settings.ts';
import type { Operation, OperationName, ResultOf } from '../store.ts';
import { adopt } from './adopt.ts';
import { enrol, heartbeat, issue, prune, restart } from './fleet.ts';
import { claim, fenced } from './leases.ts';
import { cancel, enqueue, requeue } from './people.ts';
import { events, factories, job, jobs, runs, why } from './reading.ts';
import type { Transaction } from './transaction.ts';

/** Writes nothing when the result is a refusal. */
export function apply(
  transaction: Transaction,
  operation: Operation,
  settings: CoordinatorSettings,
): ResultOf<OperationName> {
  switch (operation.do) {
    case 'heartbeat':
      return heartbeat(transaction, operation);
    case 'claim':
      return claim(transaction, operation, settings);
    case 'fenced':
      return fenced(transaction, operation, settings);
    case 'enqueue':
      return enqueue(transaction, operation);
    case 'adopt':
      return adopt(transaction, operation, settings);
    case 'cancel':
      return cancel(transaction, operation);
    case 'requeue':
      return requeue(transaction, operation);
    case 'job':
      return job(transaction, operation);
    case 'jobs':
      return jobs(transaction, operation);
    case 'runs':
      return runs(transaction, operation);
    case 'events':
      return events(transaction, operation);
    case 'factories':
      return factories(transaction, operation);
    case 'why':
      return why(transaction, operation);
    case 'token':
      return { token: transaction.token(operation.hash), now: transaction.now };
    case 'issue':
      return issue(transaction, operation);
    case 'enrol':
      return enrol(transaction, operation);
    case 'restart':
      return restart(transaction, settings);
    case 'tick':
      return { now: transaction.now };
    case 'prune':
      return prune(transaction, settings);
  }
}
