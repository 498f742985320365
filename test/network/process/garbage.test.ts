// Node takes what it is told of V8's garbage collection. What that is worth, the benchmark of delivery tells.

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const MODULE = new URL('../../../network/process/garbage.ts', import.meta.url).href;

test('V8 knows the flags that are set: it says on stderr which it does not know', () => {
  expect(saidBy(`const { collectSeldom } = await import('${MODULE}'); collectSeldom();`)).toBe('');
  expect(saidBy(`(await import('node:v8')).setFlagsFromString('--heap-growing-never')`)).not.toBe('');
});

function saidBy(program: string): string {
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval'];
  return spawnSync(process.execPath, [...flags, program], { encoding: 'utf8' }).stderr;
}
