import { open } from 'node:fs/promises';

/** The end of a file as text, from the beginning of a line; '' when it cannot be read. */
export async function readTail(file: string, bytes: number): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, bytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const text = buffer.toString('utf8', 0, bytesRead);
    return (length < size ? text.slice(text.indexOf('\n') + 1) : text).trimEnd();
  } finally {
    await handle.close();
  }
}
