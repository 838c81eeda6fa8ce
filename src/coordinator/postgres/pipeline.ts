/** Statements that are sent together: one round trip, however many there are. */
import type { ClientBase, QueryResult } from 'pg';

export interface Question {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

/**
 * They run one after the other. In a transaction that is open, all those after one that fails fail as well, a COMMIT
 * too; what the first of them said is thrown.
 */
export async function pipelined(
  client: ClientBase,
  questions: readonly Question[],
): Promise<readonly QueryResult[]> {
  const asked = questions.map(({ name, text, values }) =>
    client.query({ text, ...(name !== undefined && { name }), ...(values && { values: [...values] }) }),
  );
  const results: QueryResult[] = [];
  for (const answer of await Promise.allSettled(asked)) {
    if (answer.status === 'rejected') throw answer.reason;
    results.push(answer.value);
  }
  return results;
}
