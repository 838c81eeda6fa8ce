/** `src/platform/git/git.ts` over the repository of a simulated machine: the commands that jobs need, with git's own answers. */
import { GitError } from '../../src/platform/git/error.ts';
import type { Git, GitBytes, GitResult, GitRunOptions } from '../../src/platform/git/git.ts';
import type { Repository } from '../world/repository.ts';
import { here } from '../world/world.ts';

interface Call {
  readonly repository: Repository;
  readonly args: readonly string[];
  readonly options: GitRunOptions;
}

/** What a command prints, or how it fails. */
type Said = string | { readonly exitCode: number; readonly stdout?: string; readonly stderr?: string };

export function createGit(): Git {
  const run = async (args: readonly string[], options: GitRunOptions): Promise<GitResult> => {
    options.signal?.throwIfAborted();
    const process = here();
    const { repository } = process.machine;
    const bare = withoutSettings(args);
    const said = isOverNetwork(bare)
      ? await overNetwork({ repository, args: bare, options })
      : await process.effect(() => answer({ repository, args: bare, options }));
    options.signal?.throwIfAborted();
    const result = typeof said === 'string' ? { exitCode: 0, stdout: said } : said;
    if (result.exitCode !== 0 && options.answers?.includes(result.exitCode) !== true)
      throw new GitError(bare, result.exitCode, result.stderr ?? '');
    return { stdout: result.stdout ?? '', stderr: result.stderr ?? '', exitCode: result.exitCode };
  };
  return {
    run,
    runBytes: async (args, options): Promise<GitBytes> => {
      const result = await run(args, options);
      return { ...result, stdout: Buffer.from(result.stdout) };
    },
    requireFloor: () => Promise.resolve(),
  };
}

function withoutSettings(args: readonly string[]): string[] {
  const rest = [...args];
  while (rest[0] === '-c') rest.splice(0, 2);
  return rest;
}

function isOverNetwork([command]: readonly string[]): boolean {
  return command === 'push' || command === 'fetch';
}

/** The remote is away as the coordinator is: the request may be lost, and so may its answer. */
async function overNetwork(call: Call): Promise<Said> {
  const process = here();
  const { machine } = process;
  const unreachable: Said = {
    exitCode: 128,
    stderr: 'fatal: unable to access the remote: the connection was reset',
  };
  const trip = machine.world.gitTrip?.(machine) ?? { ms: 50, isLost: false, isAnswerLost: false };
  await new Promise<void>((resolve) => void process.timer(trip.ms, resolve));
  if (trip.isLost) return unreachable;
  const said = await process.effect(() => answer(call));
  return trip.isAnswerLost ? unreachable : said;
}

function answer(call: Call): Said {
  const [command = ''] = call.args;
  const known = COMMANDS[command];
  if (known === undefined) throw new Error(`The simulated git has no ${call.args.join(' ')}`);
  return known(call);
}

const NOT_FOUND: Said = { exitCode: 128, stderr: 'fatal: Needed a single revision' };

/** `name`, `name^{commit}` or `name^{tree}`. */
function objectOf({ repository, options }: Call, name: string): string | undefined {
  const [, bare = name, kind] = /^(.*)\^\{(commit|tree)\}$/.exec(name) ?? [];
  const head = bare === 'HEAD' ? repository.worktrees.get(options.cwd)?.head : undefined;
  const commit = head ?? repository.resolve(bare);
  if (commit === undefined) return kind === 'tree' && repository.filesOf(bare).size > 0 ? bare : undefined;
  return kind === 'tree' ? repository.treeOf(commit) : commit;
}

const COMMANDS: Readonly<Record<string, (call: Call) => Said>> = {
  'rev-parse': (call) => {
    const quiet = call.args.includes('--quiet');
    const found = objectOf(call, call.args.at(-1) as string);
    if (found !== undefined) return `${found}\n`;
    return quiet ? { exitCode: 1 } : NOT_FOUND;
  },
  'merge-base': (call) => {
    const [a, b] = call.args.slice(-2).map((name) => objectOf(call, name));
    if (a === undefined || b === undefined) return NOT_FOUND;
    if (call.args.includes('--is-ancestor')) return call.repository.isAncestor(a, b) ? '' : { exitCode: 1 };
    const bases = call.repository.mergeBases(a, b);
    return bases.length === 0 ? { exitCode: 1 } : `${bases.join('\n')}\n`;
  },
  'merge-tree': (call) => {
    const [ours, theirs] = call.args.slice(-2).map((name) => objectOf(call, name) as string);
    const { tree, conflicts } = call.repository.merge(ours as string, theirs as string);
    if (conflicts.length === 0) return `${tree}\0`;
    const files = conflicts.map((file) => `${file}\0`).join('');
    const messages = conflicts
      .map((file) => `1\0${file}\0CONFLICT (contents)\0Merge conflict in ${file}\n\0`)
      .join('');
    return { exitCode: 1, stdout: `${tree}\0${files}\0${messages}` };
  },
  'commit-tree': (call) => {
    const [, tree = '', ...rest] = call.args;
    const parents = rest.flatMap((arg, at) => (rest[at - 1] === '-p' ? [arg] : []));
    return `${call.repository.commitTree(objectOf(call, tree) ?? tree, parents, String(call.options.input ?? ''))}\n`;
  },
  'update-ref': (call) => {
    const { repository } = call;
    const args = call.args.slice(1).filter((arg, at, all) => arg !== '-m' && all[at - 1] !== '-m');
    const isDelete = args[0] === '-d';
    const [ref = '', to = '', old] = isDelete ? [args[1], '', args[2]] : args;
    const now = repository.refs.get(ref);
    if (old !== undefined && now !== old)
      return { exitCode: 128, stderr: `fatal: cannot lock ref '${ref}': is at ${now} but expected ${old}` };
    if (isDelete) {
      repository.refs.delete(ref);
      return '';
    }
    const commit = objectOf(call, to);
    if (commit === undefined) return NOT_FOUND;
    repository.setRef(ref, commit);
    return '';
  },
  'symbolic-ref': (call) => {
    const worktree = call.repository.worktrees.get(call.options.cwd);
    const rest = call.args.slice(1).filter((arg, at, all) => !arg.startsWith('-') && all[at - 1] !== '-m');
    if (rest.length === 2 && worktree !== undefined) {
      worktree.branch = rest[1];
      return '';
    }
    const branch = worktree === undefined ? 'refs/heads/main' : worktree.branch;
    return branch === undefined ? { exitCode: 1 } : `${branch}\n`;
  },
  'for-each-ref': (call) => {
    const { repository } = call;
    const filter = call.args.find((arg) => /^--(no-)?merged=/.test(arg));
    const target = filter === undefined ? undefined : objectOf(call, filter.slice(filter.indexOf('=') + 1));
    const patterns = call.args.slice(1).filter((arg) => !arg.startsWith('--'));
    const matching = [...repository.refs].filter(([ref, commit]) => {
      const isNamed = patterns.some(
        (each) => ref === each || ref.startsWith(each.endsWith('/') ? each : `${each}/`),
      );
      if (!isNamed || target === undefined) return isNamed;
      return repository.isAncestor(commit, target) !== filter?.startsWith('--no-');
    });
    const checkedOut = new Set([...repository.worktrees.values()].map(({ branch }) => branch));
    return matching
      .map(([ref, commit]) => `${ref}\0${commit}\0${checkedOut.has(ref) ? '/somewhere' : ''}\n`)
      .join('');
  },
  'cat-file': (call) => {
    if (call.args.includes('-e'))
      return objectOf(call, call.args.at(-1) as string) === undefined ? { exitCode: 128 } : '';
    const lines = String(call.options.input ?? '')
      .split('\n')
      .filter((line) => line !== '');
    return lines
      .map((line) => (objectOf(call, line) === undefined ? `${line} missing\n` : 'commit\n'))
      .join('');
  },
  'rev-list': (call) =>
    `${[...call.repository.ancestors(objectOf(call, call.args.at(-1) as string) ?? '')].join('\n')}\n`,
  config: () => 'remote.origin.url\nhttps://github.com/acme/app.git\0',
  show: () => 'A Person\0person@example.org\x001700000000 +0000\0',
  push: (call) => {
    const [from = '', to = ''] = (call.args.at(-1) as string).split(/:(?=refs\/)/);
    const commit = objectOf(call, from.replace(/^\+/, ''));
    if (commit === undefined) return NOT_FOUND;
    here().machine.world.onPush?.(here(), to);
    const isTaken = call.repository.push(commit, to, from.startsWith('+'));
    return isTaken ? '' : { exitCode: 1, stderr: `! [rejected] ${to} (non-fast-forward)` };
  },
  fetch: (call) =>
    call.repository.fetch(call.args.at(-1) as string)
      ? ''
      : { exitCode: 128, stderr: "fatal: couldn't find remote ref" },
};
