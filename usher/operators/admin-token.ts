// A token for whoever runs one process alone: kept beside its secret, so that who can read that folder can sign in.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../network/clock.ts';
import { CodedError, reasonOf } from '../../network/errors.ts';
import type { Operators } from './operators.ts';

const YEAR_MS = 365 * 86_400_000;

/**
 * Sees that `<data>/admin-token` holds a token that is valid, and makes another when it is not. Returns the file, and whether it
 * was made now. Throws `bad_token_file`.
 */
export async function keepAdminToken(
  data: string,
  operators: Operators,
  clock: Clock,
): Promise<{ readonly file: string; readonly isNew: boolean }> {
  const file = join(data, 'admin-token');
  try {
    const kept = await readFile(file, 'utf8').catch(() => '');
    if (operators.ofToken(kept.trim()).kind === 'operator') return { file, isNew: false };
    await mkdir(data, { recursive: true });
    // Written beside it first: nobody ever reads half a token, and the mode is that of the new file.
    await writeFile(`${file}.new`, `${operators.tokenUntil(clock.now() + YEAR_MS)}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
    return { file, isNew: true };
  } catch (error) {
    throw new CodedError('bad_token_file', `the token in '${file}' can't be kept: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}
