// Files whose disk fails as a test wants: dies in the middle of a write, is full, is slow.

import type { Files, GrowingFile } from '../../../origin/archive/recording/files.ts';

export interface Failing extends Files {
  /** Bytes that are still taken; what goes beyond is cut off there, and nothing happens any more: as after SIGKILL. */
  diesAfterBytes: number;
  /** Thrown by every write into a path that it says it of. */
  refusal: (path: string) => Error | undefined;
  /** Writes wait for it. */
  gate: Promise<void>;
  readonly isDead: boolean;
  /** Nothing happens any more, from now on. */
  die(): Promise<void>;
}

export function failingFiles(files: Files): Failing {
  return new FailingFiles(files);
}

class FailingFiles implements Failing {
  diesAfterBytes = Number.POSITIVE_INFINITY;
  refusal: Failing['refusal'] = () => undefined;
  gate = Promise.resolve();
  readonly #files: Files;
  readonly #open = new Set<GrowingFile>();

  constructor(files: Files) {
    this.#files = files;
  }

  get isDead(): boolean {
    return this.diesAfterBytes <= 0;
  }

  async create(path: string): Promise<GrowingFile> {
    await this.#ask(path);
    const file = await this.#files.create(path);
    this.#open.add(file);
    return {
      append: (views) => this.#append(path, file, views),
      sync: () => this.#alive(() => file.sync()),
      truncate: (bytes) => this.#alive(() => file.truncate(bytes)),
      close: () => this.#alive(() => this.#close(file)),
    };
  }

  async die(): Promise<void> {
    this.diesAfterBytes = 0;
    await Promise.all([...this.#open].map((file) => this.#close(file)));
  }

  async append(path: string, text: string): Promise<void> {
    await this.#ask(path);
    return this.#files.append(path, text);
  }

  read: Files['read'] = (...args) => this.#files.read(...args);
  list: Files['list'] = (folder) => this.#files.list(folder);
  truncate: Files['truncate'] = (path, bytes) => this.#files.truncate(path, bytes);
  remove: Files['remove'] = (path) => this.#files.remove(path);
  makeFolder: Files['makeFolder'] = (path) => this.#files.makeFolder(path);
  freeBytes: Files['freeBytes'] = (folder) => this.#files.freeBytes(folder);

  async #append(path: string, file: GrowingFile, views: readonly Uint8Array[]): Promise<void> {
    await this.#ask(path);
    const all = Buffer.concat(views);
    const taken = all.subarray(0, Math.min(all.length, this.diesAfterBytes));
    if (taken.length > 0) await file.append([taken]);
    this.diesAfterBytes -= all.length;
    if (!this.isDead) return;
    await this.die();
    await never();
  }

  /** As the system closes what a process had open. */
  async #close(file: GrowingFile): Promise<void> {
    if (this.#open.delete(file)) await file.close();
  }

  async #ask(path: string): Promise<void> {
    await this.gate;
    if (this.isDead) await never();
    const refused = this.refusal(path);
    if (refused) throw refused;
  }

  #alive<Value>(act: () => Promise<Value>): Promise<Value> {
    return this.isDead ? never() : act();
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}
