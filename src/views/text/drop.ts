/** What was dropped on the Inbox, read. Pure. */

/** The addresses of a `text/uri-list` (RFC 2483): one a line, `#` begins a comment. */
export function uriList(text: string): string[] {
  return text
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/**
 * Before which queued job the dragged ones go when dropped on `target`: before it, when it is queued; last,
 * when it is anything else. A target that is itself dragged stands for the next job that stays.
 */
export function dropBefore(
  queue: readonly string[],
  dragged: readonly string[],
  target: string | undefined,
): string | undefined {
  const from = target === undefined ? -1 : queue.indexOf(target);
  if (from < 0) return undefined;
  return queue.slice(from).find((id) => !dragged.includes(id));
}
