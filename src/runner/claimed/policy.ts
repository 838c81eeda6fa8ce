/** Whether the laptop's owner lets a claimed job run (fleet-protocol.md, rule 12). Pure, but for `isInside`. */
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../platform/errors.ts';
import { SHELL_ENGINE } from '../engines/builtin.ts';
import type { ClaimPolicy } from '../hooks.ts';
import type { Manifest } from '../manifest/parse.ts';

export const NOTHING_ALLOWED: ClaimPolicy = { engines: [], roots: [], yolo: false, commands: false };

/** @throws UserError `declined`: what the job asks for and the policy forbids; nothing of it has run. */
export function mustBeAllowed(manifest: Manifest, engine: string, policy: ClaimPolicy): void {
  const forbidden = forbiddenBy(manifest, engine, policy);
  if (forbidden !== undefined) throw declined(forbidden.what, forbidden.variable);
}

/**
 * The same for the folder that it would work in, links resolved on both sides.
 * @param kind of workplace: outside any repository counts as one of the exceptions.
 */
export async function mustBeAllowedIn(
  folder: string,
  kind: 'worktree' | 'in-place' | 'plain',
  policy: ClaimPolicy,
): Promise<void> {
  if (!policy.commands && kind === 'plain')
    throw declined('to work outside any repository', 'AQ_FLEET_ALLOW_COMMANDS');
  const real = await realpath(folder);
  const roots = await Promise.all(policy.roots.map((root) => realpath(root).catch(() => undefined)));
  if (roots.some((root) => root !== undefined && isInside(real, root))) return;
  throw declined(`to work in ${real}`, 'AQ_FLEET_ALLOW_ROOTS');
}

function forbiddenBy(
  manifest: Manifest,
  engine: string,
  policy: ClaimPolicy,
): { readonly what: string; readonly variable: string } | undefined {
  const engineAllowed =
    policy.engines === undefined ? engine !== SHELL_ENGINE : policy.engines.includes(engine);
  if (!engineAllowed) return { what: `the engine ${engine}`, variable: 'AQ_FLEET_ALLOW_ENGINES' };
  if (manifest.yolo && !policy.yolo) return { what: '`yolo: true`', variable: 'AQ_FLEET_ALLOW_YOLO' };
  if (policy.commands) return undefined;
  const exception =
    manifest.setup !== undefined
      ? '`setup`'
      : manifest.verify.length > 0
        ? '`verify`'
        : manifest.review === 'skip'
          ? '`review: skip`'
          : manifest.worktree
            ? undefined
            : '`worktree: false`';
  return exception === undefined ? undefined : { what: exception, variable: 'AQ_FLEET_ALLOW_COMMANDS' };
}

function isInside(folder: string, root: string): boolean {
  const relative = path.relative(root, folder);
  return (
    relative === '' ||
    (!relative.startsWith(`..${path.sep}`) && relative !== '..' && !path.isAbsolute(relative))
  );
}

function declined(what: string, variable: string): UserError {
  return new UserError(
    'declined',
    `The job was claimed from the fleet and asks for ${what}, which this laptop does not allow claimed jobs. Nothing of it was run.`,
    `Allow it with ${variable} or the setting of the same meaning, if you trust whoever writes the fleet's jobs.`,
  );
}
