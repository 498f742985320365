// Inputs that earlier runs found worth keeping, a file each: `corpus/<target>/<hash>`.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../network/hash.ts';

export interface Kept {
  readonly file: string;
  readonly input: Uint8Array;
}

const FOLDER = join(import.meta.dirname, 'corpus');

export function readCorpus(target: string): Kept[] {
  const folder = join(FOLDER, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => ({ file: join(folder, name), input: readFileSync(join(folder, name)) }));
}

export function keep(target: string, input: Uint8Array): string {
  const folder = join(FOLDER, target);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, nameOf(input));
  writeFileSync(file, input);
  return file;
}

/** Leaves the inputs given, and no other. */
export function replaceCorpus(target: string, inputs: readonly Uint8Array[]): void {
  rmSync(join(FOLDER, target), { recursive: true, force: true });
  for (const input of inputs) keep(target, input);
}

function nameOf(input: Uint8Array): string {
  return sha256(input, 12);
}
