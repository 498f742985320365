// Folders and files for tests and benchmarks that are gone when these are done.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';
/** What was left to itself may still write into a folder that goes. */
const INSISTENTLY = { recursive: true, force: true, maxRetries: 10, retryDelay: 20 };

const lasting: string[] = [];
process.once('exit', removeFolders);

/** For one test, in memory where the machine has such: what is measured and waited for is not its disk. */
export class ScratchFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<ScratchFolder> {
    return new ScratchFolder(await mkdtemp(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'headwater-')));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, INSISTENTLY);
  }
}

/** A new folder on disk, until all tests of the file are done, or this process exits. */
export function lastingFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headwater-'));
  lasting.push(folder);
  return folder;
}

/** The path of a file of this name in a folder of its own. */
export function lastingFile(name: string, content: string | Uint8Array): string {
  const file = join(lastingFolder(), name);
  writeFileSync(file, content);
  return file;
}

export function removeFolders(): void {
  for (const folder of lasting.splice(0)) rmSync(folder, INSISTENTLY);
}
