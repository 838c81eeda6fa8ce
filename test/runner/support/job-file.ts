/** Job files, as a person writes them. */
import { stringify } from 'yaml';

/** A job file: its body (by default a script that writes a file), and every other key as front matter. */
export function jobFile({
  body = script('echo done > result.txt'),
  ...frontMatter
}: Record<string, unknown> & { body?: string } = {}): string {
  return `---\n${stringify({ engine: 'shell', ...frontMatter })}---\n${body}`;
}

/** A body with one block that the engine `shell` runs. */
export function script(...lines: string[]): string {
  return `Do this:\n\n\`\`\`sh\n${lines.join('\n')}\n\`\`\`\n`;
}
