import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../network/clock.ts';
import type { Command } from '../../network/command/command.ts';
import { readConfig } from '../../network/config/config.ts';
import { startSampleBroadcast } from '../../origin/sample/sample-broadcast.ts';
import { PROGRAM, type Running, start } from '../../server.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { ScratchFolder } from '../tools/world/scratch-folder.ts';
import { typed } from '../tools/world/typed.ts';
import { waitFor } from '../tools/world/wait.ts';

/** Each command with the words that lead to it. */
const COMMANDS: readonly (readonly [words: string, command: Command])[] = PROGRAM.commands.flatMap((one) =>
  'commands' in one
    ? one.commands.map((inner) => [`${one.name} ${inner.name}`, inner] as const)
    : [[one.name, one] as const],
);

const GROUPS = PROGRAM.commands.filter((one) => 'commands' in one).map(({ name }) => name);

describe('the help', () => {
  test('of the program names every command', async () => {
    const { code, out } = await typed(PROGRAM, ['--help']);
    expect(code).toBe(0);
    await expect(out).toMatchFileSnapshot('../golden/commands/help.txt');
  });

  test.each(GROUPS)('of %s names its commands', async (name) => {
    const { out } = await typed(PROGRAM, [name, '--help']);
    await expect(out).toMatchFileSnapshot(`../golden/commands/help-${name}.txt`);
  });

  test.each(COMMANDS)(
    'of %s has what it takes, and examples that begin with its name',
    async (words, command) => {
      const { code, out } = await typed(PROGRAM, [...words.split(' '), '--help']);
      expect(code).toBe(0);
      await expect(out).toMatchFileSnapshot(`../golden/commands/help-${words.replace(' ', '-')}.txt`);
      for (const [line] of command.examples) expect(line).toMatch(/^headwater( |$)/);
      expect(command.examples.some(([line]) => line.startsWith(`headwater ${words}`))).toBe(true);
    },
  );
});

describe('a command line that makes no sense', () => {
  test.each([
    [['stauts'], "error: unknown command 'stauts'\n(Did you mean status?)\n--help says how it is used\n"],
    [['--colour', 'red'], "error: unknown option '--colour'\n--help says how it is used\n"],
    [['tree'], "error: missing required argument 'stream'\n--help says how it is used\n"],
  ])('%j ends with 2, and says what is meant', async (words, err) => {
    expect(await typed(PROGRAM, words)).toMatchObject({ code: 2, out: '', err });
  });

  test('of a group without a command, its help goes to stderr', async () => {
    expect(await typed(PROGRAM, ['keys'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('revoke'),
    });
  });
});

describe('beside a process that runs', () => {
  let scratch: ScratchFolder;
  let running: Running;
  beforeAll(async () => {
    scratch = await ScratchFolder.make();
    const free = { rtmpPort: '0', usherPort: '0', mediaPort: '0' };
    process.env['HEADWATER_SECRETS'] = 'a secret for the tests';
    const config = { ...readConfig({ ...free, data: scratch.path }), id: 'ams-1' };
    running = await start(config, keepingLogger(), 'both');
    const isLive = async () => {
      const plannedOn = { planTerm: expect.any(Number), plan: { 'ams-1': expect.anything() } };
      expect(await json('status')).toMatchObject({
        ...plannedOn,
        streams: [{ live: true, renditions: [{}] }],
      });
    };
    await waitFor(isLive);
  });
  afterAll(async () => {
    delete process.env['HEADWATER_SECRETS'];
    await running.stop();
    await scratch[Symbol.asyncDispose]();
  });

  const at = (...words: string[]): string[] => [...words, '--usher', `http://127.0.0.1:${running.usherPort}`];
  const json = async (...words: string[]): Promise<unknown> =>
    JSON.parse((await typed(PROGRAM, at(...words, '--json'))).out || 'null');

  test.each([
    ['status', ['status']],
    ['streams', ['streams']],
    ['tree', ['tree', 'sample']],
    ['explain', ['explain', 'sample', '198.51.100.7']],
    ['archive-list', ['archive', 'list', 'nobody']],
  ])('%s prints what its golden file has, and JSON of the shape that is there', async (name, words) => {
    const { code, out, err } = await typed(PROGRAM, at(...words));
    expect([code, err]).toEqual([0, '']);
    await expect(masked(out)).toMatchFileSnapshot(`../golden/commands/${name}.txt`);
    // Something may be added to it; nothing that was there goes.
    const golden = readFileSync(join(import.meta.dirname, `../golden/commands/${name}.json`), 'utf8');
    expect(shapeOf(await json(...words))).toMatchObject(JSON.parse(golden));
  });

  test('a key that was made lets its bearer have the server emptied, and used again', async () => {
    const drained = await typed(PROGRAM, at('drain', 'ams-1'));
    expect(drained).toMatchObject({ code: 0, out: expect.stringContaining('is being emptied') });
    const undrained = await typed(PROGRAM, at('undrain', 'ams-1', '--wait'));
    expect(undrained).toMatchObject({ code: 0, out: 'ams-1 takes viewers again\n' });
  });

  test('a key that is revoked is let in nowhere any more, and who publishes with it is let go', async () => {
    const key = (await typed(PROGRAM, at('keys', 'make', 'publish', 'pirate'))).out.trim();
    const logger = keepingLogger();
    const address = { host: '127.0.0.1', port: running.rtmpPort };
    const publisher = startSampleBroadcast({ ...address, name: 'pirate', key, clock: systemClock, logger });
    const pirate = async () => (await json('tree', 'pirate')) as { live: boolean } | null;
    await expect.poll(pirate).toMatchObject({ live: true });
    expect(await typed(PROGRAM, at('keys', 'revoke', key))).toMatchObject({ code: 0 });
    await expect.poll(pirate).toMatchObject({ live: false });
    const isRefused = (): boolean =>
      logger.lines.filter(({ fields }) => /revoked/.test(`${fields['reason']}`)).length > 1;
    await expect.poll(isRefused).toBe(true);
    await publisher.stop();
  });

  test.each([
    [['tree', 'nobody'], 3, "error: no stream 'nobody' is live\n"],
    [['explain', 'nobody', '::1'], 3, "error: no stream 'nobody' is live\n"],
    [['drain', 'nobody'], 3, "error: no server 'nobody' is known\n"],
    [['streams', '--colour'], 2, "error: unknown option '--colour'\n"],
  ])('%j ends with the exit code that the help says', async (words, code, err) => {
    expect(await typed(PROGRAM, at(...words))).toMatchObject({
      code,
      out: '',
      err: expect.stringContaining(err),
    });
  });
});

test('headwater is a program of its own, which knows its version and sees that nobody sees colours', async () => {
  const program = join(import.meta.dirname, '../../network/command/headwater.sh');
  const { stdout } = await promisify(execFile)(program, ['--version'], {
    env: { PATH: process.env['PATH'] },
  });
  expect(stdout).toBe(`${PROGRAM.version}\n`);
});

/** Figures differ from run to run, and columns with them. */
function masked(text: string): string {
  return text
    .replace(/[█░]+/g, 'BAR')
    .replace(/(?<![\w-])\d[\d.,:-]*/g, '0')
    .replace(/ {2,}/g, '  ');
}

/** What is where, and of which type; of lists the first. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}
