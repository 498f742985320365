// How far the upload of a file has come, kept beside the file: the next process goes on from there.

import { readFile, rm, writeFile } from 'node:fs/promises';

export interface Progress {
  readonly uploadId: string;
  /** ETags of the parts that have come, in order. */
  readonly parts: readonly string[];
}

const ENDING = '.upload~';

/** Undefined when none has begun, or what was noted makes no sense. */
export async function readProgress(path: string): Promise<Progress | undefined> {
  try {
    const { uploadId, parts } = JSON.parse(await readFile(path + ENDING, 'utf8')) as Progress;
    return typeof uploadId === 'string' && Array.isArray(parts) ? { uploadId, parts } : undefined;
  } catch {
    return undefined;
  }
}

export function writeProgress(path: string, progress: Progress): Promise<void> {
  return writeFile(path + ENDING, JSON.stringify(progress));
}

export function forgetProgress(path: string): Promise<void> {
  return rm(path + ENDING, { force: true });
}
