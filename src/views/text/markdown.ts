/** Markdown for tooltips. Everything that comes from a job goes through `escapeMarkdown`. */
import type { CommandId } from '../contributions.ts';

/** Text as Markdown that shows exactly this text, on one line: no link, image, HTML, emphasis or icon can come of it. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/\s+/gu, ' ')
    .trim()
    .replace(/[!-#%-/:-@[-`{-~]/gu, String.raw`\$&`)
    .replaceAll('$', '&#36;');
}

/** A link that runs a command; it works only in a tooltip that is trusted for that command. */
export function commandLink(label: string, command: CommandId, args: readonly unknown[] = []): string {
  const query = args.length === 0 ? '' : `?${encodeURIComponent(JSON.stringify(args))}`;
  return `[${escapeMarkdown(label)}](command:${command}${query.replaceAll('(', '%28').replaceAll(')', '%29')})`;
}
