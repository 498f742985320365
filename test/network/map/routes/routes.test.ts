import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../../network/map/address.ts';
import { readRoutes } from '../../../../network/map/routes/routes.ts';
import { lastingFolder } from '../../../tools/world/scratch-folder.ts';

const folder = lastingFolder();

function fileWith(name: string, lines: readonly string[]): string {
  const file = join(folder, name);
  writeFileSync(file, lines.join('\n'));
  return file;
}

const good = Array.from({ length: 250 }, (_, index) => `10.${index}.0.0/16 ${64500 + index}`);

describe('routes', () => {
  test('of several files, in several forms and both families, make one table', async () => {
    const routes = await readRoutes([
      fileWith('prefixes.txt', ['# a dump', ...good, '2001:db8::/32 64999']),
      fileWith('ranges.csv', ['10.7.7.0,10.7.7.9,65000,"Example, Inc."', '']),
    ]);
    const asnOf = (text: string): number | undefined => routes.asnOf(parseAddress(text)!);
    expect(['10.7.0.1', '10.7.7.9', '10.7.7.10', '2001:db8::1', '::1', '9.0.0.0'].map(asnOf)).toEqual([
      64507,
      65000,
      64507,
      64999,
      undefined,
      undefined,
    ]);
    expect(routes.read).toMatchObject({ lines: 252, badLines: 0 });
  });

  test('with few lines that make no sense are taken, and tell where those are', async () => {
    const file = fileWith('few.txt', [...good.slice(0, 200), 'oops\u001b[2J', ...good.slice(200)]);
    const { read } = await readRoutes([file]);
    expect(read).toMatchObject({ lines: 251, badLines: 1, firstBad: [`${file}:201: 'oops\\u001b[2J'`] });
  });

  test.each([
    [
      'many lines that make no sense',
      [...good, 'a', 'b', 'c'],
      /3 of 253 lines make no sense, as [^']+:251: 'a', /,
    ],
    ['nothing in them', ['# nothing'], /there are no routes/],
    ['a line without an end', ['x'.repeat(400_000)], /a line without an end/],
  ])('with %s are refused', async (name, lines, message) => {
    await expect(readRoutes([fileWith(name, lines)])).rejects.toMatchObject({
      code: 'bad_routes',
      message: expect.stringMatching(message),
    });
  });

  test('that are not there are refused, naming the file', async () => {
    await expect(readRoutes(['/nowhere/routes.txt'])).rejects.toMatchObject({
      code: 'bad_routes',
      message: expect.stringContaining('/nowhere/routes.txt'),
    });
  });
});
