// The id of a server that was given none: made once and kept in its data folder, because what it records is known by it.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, reasonOf } from '../errors.ts';
import { randomName } from '../hash.ts';
import { isPlaceName, PLACE_NAME_RULE, quoted } from '../names.ts';

/** Reads `<data>/id`, making it on the first start. Throws `bad_id`. */
export async function loadOwnId(data: string): Promise<string> {
  const file = join(data, 'id');
  try {
    await mkdir(data, { recursive: true });
    await writeFile(file, `s${randomName(6)}\n`, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    const id = (await readFile(file, 'utf8')).trim();
    if (!isPlaceName(id)) throw new Error(`it says ${quoted(id)}; ${PLACE_NAME_RULE}`);
    return id;
  } catch (error) {
    throw new CodedError('bad_id', `the id in '${file}' can't be kept: ${reasonOf(error)}`, { cause: error });
  }
}
