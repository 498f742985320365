// The secrets that sign tokens: those configured, or one that is made once and kept on disk.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, reasonOf } from '../errors.ts';
import { randomName } from '../hash.ts';

/** Reads `<data>/secret`, making it on the first start, so that tokens outlive a restart. Throws `bad_secret`. */
export async function loadSecrets(configured: readonly string[], data: string): Promise<readonly string[]> {
  if (configured.length > 0) return configured;
  const file = join(data, 'secret');
  try {
    await mkdir(data, { recursive: true });
    await writeFile(file, `${randomName(32)}\n`, { flag: 'wx', mode: 0o600 }).catch(unlessItExists);
    return [(await readFile(file, 'utf8')).trim()];
  } catch (error) {
    throw new CodedError('bad_secret', `the secret in '${file}' can't be kept: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function unlessItExists(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
