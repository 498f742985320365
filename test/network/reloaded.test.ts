import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Reloaded } from '../../network/reloaded.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { ManualClock } from '../tools/world/manual-clock.ts';
import { lastingFolder } from '../tools/world/scratch-folder.ts';

test('a file that is being written is read when it has rested, and once', async () => {
  const file = join(lastingFolder(), 'file');
  const reads: string[] = [];
  const write = (text: string): void => writeFileSync(file, text);
  write('one');
  using reloaded = await Reloaded.open({
    what: 'the file',
    files: [file],
    read: async () => readFileSync(file, 'utf8'),
    onRead: (text) => reads.push(text),
    clock: new ManualClock(),
    logger: keepingLogger(),
  });
  write('two, ');
  await reloaded.check();
  write('two, and more');
  await reloaded.check();
  expect(reloaded.value).toBe('one');
  await reloaded.check();
  expect(reloaded.value).toBe('two, and more');
  await reloaded.check();
  expect(reads).toEqual(['one', 'two, and more']);
});
