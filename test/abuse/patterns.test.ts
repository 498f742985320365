// Regular expressions under whatever is long and repeats itself: none takes more time than the text is long.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, Script } from 'node:vm';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = ['network', 'origin', 'edge', 'transcoder', 'usher'];
/** As Biome formats code, a pattern stands behind one of these. */
const LITERAL = /(?<=[(,=:?&|![{;\s])\/(?![*/ ])((?:\\.|\[(?:\\.|[^\]\n])*\]|[^/\n\\[])+)\/([dgimsuvy]*)/g;

/** As many as there may be in a header or in a message of who has yet to say who he is. */
const CHARACTERS = 50_000;
/** Squared they are more than a second; as they are, a tenth of a millisecond. */
const PATIENCE_MS = 700;
const OFTEN = ['a', '0', ' ', '/', '.', ',', '"'];

const patterns = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .flatMap((file) =>
    [...withoutComments(readFileSync(join(ROOT, file), 'utf8')).matchAll(LITERAL)].map(
      ([, source, flags]) => ({
        file,
        source: source!,
        flags: flags!,
      }),
    ),
  );

function withoutComments(text: string): string {
  return text.replaceAll(/^ *(?:\/\/|\/?\*).*$/gm, '');
}

const texts = new Map<string, readonly string[]>();

/** At a text's beginning, and further on. */
function runsOf(character: string): readonly string[] {
  const known = texts.get(character);
  if (known) return known;
  const run = character.repeat(CHARACTERS);
  const made = [`${run}\u0001`, `~${run}\u0001`];
  texts.set(character, made);
  return made;
}

/** Each character that a pattern names, and some that its classes do. */
function longTexts(source: string): string[] {
  const named = source.replaceAll(/\\[a-zA-Z]|[\\^$.*+?()[\]{}|]/g, '');
  return [...new Set([...OFTEN, ...named])].flatMap(runsOf);
}

test('no pattern takes more than a moment for fifty thousand of any character', () => {
  const world = createContext({ text: '', pattern: /a/ });
  const search = new Script("text.replace(pattern, '')");
  const slow = patterns.flatMap(({ file, source, flags }) => {
    world['pattern'] = new RegExp(source, flags);
    return longTexts(source)
      .filter((text) => {
        world['text'] = text;
        try {
          search.runInContext(world, { timeout: PATIENCE_MS });
          return false;
        } catch {
          return true;
        }
      })
      .map((text) => `${file}: /${source}/ with ${JSON.stringify(text.slice(0, 2))}...`);
  });
  expect(slow).toEqual([]);
  expect(patterns.length).toBeGreaterThan(150);
});
