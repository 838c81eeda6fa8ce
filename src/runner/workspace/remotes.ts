import { UserError } from '../../platform/errors.ts';
import type { Git } from '../../platform/git/git.ts';

export interface Remote {
  readonly name: string;
  /** Where it pushes to. May hold credentials: never show it. */
  readonly url: string;
}

export interface ForgeRepository {
  readonly host: string;
  readonly owner: string;
  readonly name: string;
}

/**
 * The remote that work is pushed to, by git's own order: the branch's pushRemote, remote.pushDefault, the
 * branch's remote, `origin`, the only one.
 * @param branch full ref of the target branch, if there is one.
 * @throws {UserError} `no-remote`.
 */
export async function remoteOf(git: Git, { cwd, branch }: { cwd: string; branch?: string }): Promise<Remote> {
  const args = ['config', '-z', '--get-regexp', '^(remote|branch)\\.'];
  const { stdout } = await git.run(args, { cwd, answers: [1] });
  const found = chooseRemote(stdout, branch?.replace(/^refs\/heads\//, ''));
  if (found !== undefined) return found;
  throw new UserError(
    'no-remote',
    'The repository has no remote to push to. The work is safe on the job’s own branch.',
    'Add one (git remote add origin URL), or ship the job by merge.',
  );
}

/** Reads `git config -z --get-regexp`: records of `key\nvalue`, later ones override. */
export function chooseRemote(config: string, branch: string | undefined): Remote | undefined {
  const values = new Map<string, string>();
  for (const record of config.split('\0')) {
    const at = record.indexOf('\n');
    if (at > 0) values.set(record.slice(0, at), record.slice(at + 1));
  }
  const urlOf = (name: string) => values.get(`remote.${name}.pushurl`) ?? values.get(`remote.${name}.url`);
  const names = [...values.keys()].flatMap((key) => /^remote\.(.+)\.url$/s.exec(key)?.[1] ?? []);
  const wanted = [
    values.get(`branch.${branch}.pushremote`),
    values.get('remote.pushdefault'),
    values.get(`branch.${branch}.remote`),
    'origin',
    names.length === 1 ? names[0] : undefined,
  ];
  for (const name of wanted) {
    const url = name === undefined ? undefined : urlOf(name);
    if (name !== undefined && url !== undefined) return { name, url };
  }
  return undefined;
}

/** Reads any spelling of a forge's URL (https, ssh, `git@host:owner/name`); undefined for a path on this machine. */
export function parseForgeUrl(url: string): ForgeRepository | undefined {
  const match =
    /^(?:https?|ssh|git):\/\/(?:[^/@]*@)?([^/:]+)(?::\d+)?\/(.+)$/.exec(url) ??
    /^(?:[^/@]+@)?([^/:@\\]{2,}):(?!\/\/)\/?(.+)$/.exec(url);
  const [, host, path] = match ?? [];
  const parts = (path ?? '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')
    .split('/');
  const name = parts.pop();
  const owner = parts.join('/');
  return host && name && owner ? { host: host.toLowerCase(), owner, name } : undefined;
}
