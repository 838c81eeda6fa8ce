/** What an engine has said in a run that was ended, or lost, before anybody could judge it. */
import { createReadStream } from 'node:fs';
import path from 'node:path';
import type { EventDigest, EventRules } from '../engines/descriptor.ts';
import { emptyDigest } from '../engines/events.ts';
import type { JobState } from '../job/state.ts';
import { LOG_FILE } from '../supervisor/contract.ts';
import { EventReader } from '../supervisor/digest.ts';
import { readEnd } from '../supervisor/records.ts';

/**
 * The session that the run in `dir` goes by, if the engine has told: from its end.json, or, where its supervisor has
 * left none, from its log, which holds the same lines. Never fails: what can't be read has not been said.
 */
export async function sessionSaid(
  dir: string,
  rules: EventRules | undefined,
): Promise<Pick<JobState, 'session'>> {
  const end = await readEnd(dir);
  const { sessionId } = end.state === 'read' ? end.value.digest : await fold(path.join(dir, LOG_FILE), rules);
  return sessionId === undefined ? {} : { session: sessionId };
}

async function fold(log: string, rules: EventRules | undefined): Promise<EventDigest> {
  if (rules === undefined) return emptyDigest;
  const reader = new EventReader(rules, () => undefined);
  try {
    for await (const piece of createReadStream(log, 'utf8')) reader.push(piece as string);
    reader.end();
  } catch {
    // Without a log there is nothing to read.
  }
  return reader.digest;
}
