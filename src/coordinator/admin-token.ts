/** The admin token in its file: made when there is none, and known to the store as a hash (fleet-protocol.md, "Tokens"). */
import { UserError } from '../platform/errors.ts';
import { readIfThere, writeDurable } from '../platform/files.ts';
import { ask, type Store } from './store.ts';
import { hashOf, makeToken } from './tokens.ts';

/** The form of a Bearer token (RFC 6750), long enough not to be guessed. */
const TOKEN = /^[A-Za-z0-9._~+/-]{32,512}=*$/;

/** @throws UserError `bad-token-file` for a file that holds no token; it is left as it is */
export async function admitAdmin(store: Store, tokenFile: string): Promise<void> {
  const known = (await readIfThere(tokenFile))?.trim();
  if (known !== undefined && !TOKEN.test(known)) {
    throw new UserError(
      'bad-token-file',
      `${tokenFile} holds no token: one line of at least 32 letters, digits and -._~+/ was expected. Nothing was started.`,
      'Name another file with --token-file, or remove this one to have a token made.',
    );
  }
  const made = known === undefined ? makeToken('admin') : { token: known, hash: hashOf(known) };
  if (known === undefined) await writeDurable(tokenFile, `${made.token}\n`, 0o600);
  await ask(store, { do: 'issue', token: { kind: 'admin', hash: made.hash } });
}
