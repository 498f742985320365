import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { STORAGE } from '../../../network/archive/catalogue.ts';
import { MemoryCatalogue } from '../../../network/archive/catalogue-memory.ts';
import { recordingId } from '../../../network/archive/index-file.ts';
import { archiveCommands } from '../../../origin/commands/archive.ts';
import { writeRecording } from '../../tools/media/recordings.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { ScratchFolder } from '../../tools/world/scratch-folder.ts';
import { typed } from '../../tools/world/typed.ts';

const DAY_MS = 86_400_000;
const T = 1_800_000_000_000;

let scratch: ScratchFolder;
let config: string;
const catalogue = new MemoryCatalogue();
const tools = { openCatalogue: () => catalogue, clock: new ManualClock(T), logger: keepingLogger() };
const group = { name: 'archive', summary: '', commands: archiveCommands(tools) };
const archive = (...args: string[]) => typed(group, args);
beforeEach(async () => {
  scratch = await ScratchFolder.make();
  const [disk, store] = [join(scratch.path, 'disk'), join(scratch.path, 'store')];
  config = join(scratch.path, 'headwater.yaml');
  await writeFile(
    config,
    `id: here\ndata: ${scratch.path}\narchive: {folders: [${disk}], storage: {directories: [${store}]}, reserveMb: 0}\n` +
      'state: {redis: {addresses: ["127.0.0.1:1"]}}\n',
  );
  for (const folder of [disk, store])
    for (const days of [8, 1])
      await writeRecording({ folder, stream: 'alice', startedAtMs: T - days * DAY_MS });
});
afterEach(() => scratch[Symbol.asyncDispose]());

describe('headwater archive', () => {
  test('clean says what would go, and then removes it', async () => {
    const id = recordingId('alice', T - 8 * DAY_MS);
    const told = (where: string): string => `${id}  0.0 MB  expired  ${where}\n`;
    const both = told('here') + told('storage');
    const cleaned = async (...args: string[]) => (await archive('clean', '--config', config, ...args)).out;
    expect(await cleaned('--dry-run')).toBe(`${both}2 would go, 0.0 MB\n`);
    expect(await cleaned()).toBe(`${both}2 are gone, 0.0 MB\n`);
    expect(await cleaned()).toBe('0 are gone, 0.0 MB\n');
  });

  test('rebuild tells the catalogue of all that is in storage', async () => {
    const { out } = await archive('rebuild', '--config', config);
    expect(out).toBe('2 recordings are in the catalogue\n');
    const stored = (await catalogue.list('alice')).filter(({ keeper }) => keeper === STORAGE);
    expect(stored.map(({ startedAtMs }) => (T - startedAtMs) / DAY_MS)).toEqual([1, 8]);
  });

  test.each([
    [['sweep'], /unknown command 'sweep'/],
    [['rebuild', '--dry-run'], /unknown option '--dry-run'/],
    [['clean', '--config', '/nowhere.yaml'], /nowhere/],
    [['rebuild'], /names no storage/],
  ])('says what is wrong with %j', async (args, words) => {
    expect(await archive(...args)).toMatchObject({ code: 2, err: expect.stringMatching(words) });
  });
});
