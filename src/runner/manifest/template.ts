/** What `New Job…` puts into an empty document. */
export interface TemplateOptions {
  /** The engine that the person uses most, or the default one. */
  readonly engine: string;
  /** As it shall be written; absent: the workspace folder. */
  readonly cwd?: string;
}

/** A job that only lacks its prompt; valid as it is. */
export function newJobTemplate({ engine, cwd = '.' }: TemplateOptions): string {
  return `---\nengine: ${engine}\ncwd: ${cwd}\ntimeout: 1h\n---\n${engine === 'shell' ? SHELL_PROMPT : PROMPT}`;
}

const PROMPT = `# What is to be done

Say what is wanted, where it belongs, and how one can tell that it is done.
`;

/** The shell engine runs the fenced sh blocks and reads nothing else (runner.md, "Engines are data"). */
const SHELL_PROMPT = `# What is to be done

\`\`\`sh
echo "Hello from $(pwd)"
\`\`\`
`;
