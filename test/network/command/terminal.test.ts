import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { PLAIN } from '../../../network/command/paint.ts';
import { openProgress } from '../../../network/command/progress.ts';
import { tableLines } from '../../../network/command/table.ts';
import { systemTerminal } from '../../../network/command/terminal.ts';

/** A stream as Node gives it: `hasColors` is what it makes of NO_COLOR and of the kind of terminal. */
function stream(more: object = {}) {
  const written: string[] = [];
  const nothing = (): void => {};
  const cursor = { cursorTo: nothing, clearLine: nothing, clearScreenDown: nothing, moveCursor: nothing };
  const write = (text: string): void => void written.push(text);
  return Object.assign(new PassThrough(), {
    ...cursor,
    columns: 80,
    write,
    written,
    ...more,
  }) as unknown as NodeJS.WriteStream & { readonly written: string[] };
}

test.each([
  ['a terminal', { isTTY: true, hasColors: () => true }, '\u001b[31mdead\u001b[39m'],
  ['a terminal that is told NO_COLOR', { isTTY: true, hasColors: () => false }, 'dead'],
  ['a pipe', {}, 'dead'],
])('%s is painted as it wants', (_, kind, painted) => {
  const { paint } = systemTerminal({ stdout: stream(kind), stderr: stream() });
  expect(paint.red('dead')).toBe(painted);
});

test('columns of a table are as wide as what is seen in them', () => {
  const { paint } = systemTerminal({
    stdout: stream({ isTTY: true, hasColors: () => true }),
    stderr: stream(),
  });
  const rows = [
    ['A', 'B'],
    [paint.red('long'), '1'],
    ['x', paint.bold('22')],
  ];
  const seen = tableLines(rows, [1]).map((line) => stripVTControlCharacters(line));
  expect(seen).toEqual(
    tableLines(
      [
        ['A', 'B'],
        [PLAIN.red('long'), '1'],
        ['x', '22'],
      ],
      [1],
    ),
  );
});

test('a bar is drawn on a terminal, and nothing where there is none', () => {
  const drawn = (isTTY: boolean): string => {
    const out = stream({ isTTY });
    const bar = openProgress(out, 10);
    bar.update(5, 'left: 2 viewers');
    bar.stop();
    return out.written.join('');
  };
  expect(drawn(true)).toContain('░');
  expect(drawn(false)).toBe('');
});
