import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../../network/config/config.ts';
import { exampleText } from '../../../network/config/example.ts';
import { schema } from '../../../network/config/schema/schema.ts';
import { jsonSchemaOf, type SchemaNode } from '../../../network/config/yaml.ts';
import { ScratchFolder } from '../../tools/world/scratch-folder.ts';

let scratch: ScratchFolder;
beforeAll(async () => {
  scratch = await ScratchFolder.make();
});
afterAll(() => scratch[Symbol.asyncDispose]());

/** Every option, with what leads to it. */
function options(node: SchemaNode, path: readonly string[] = []): [string, SchemaNode][] {
  const inner = Object.entries(node.properties ?? node.items?.properties ?? {});
  return inner.flatMap(([key, each]) => [[[...path, key].join('.'), each], ...options(each, [...path, key])]);
}

test('the example says of every option what it means', () => {
  const text = exampleText();
  for (const [name, { description }] of options(jsonSchemaOf(schema))) {
    expect(description, name).toMatch(/\.$/);
    expect(text).toMatch(new RegExp(`^[# -]*${name.split('.').at(-1)}:`, 'm'));
  }
});

test('the example is what holds without a file', () => {
  const file = join(scratch.path, 'example.yaml');
  writeFileSync(file, exampleText());
  expect(readConfig({ config: file }, {})).toEqual(readConfig({}, {}));
});

/** What the example has in comments is taken for what it says. */
function allOf(node: SchemaNode): unknown {
  if (!node.properties) return node.example ?? node.default;
  const entries = Object.entries(node.properties).map(([key, each]) => [key, allOf(each)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

test('what the example has in comments makes sense too', () => {
  const { state, archive, ...rest } = allOf(jsonSchemaOf(schema)) as Record<string, Record<string, unknown>>;
  const redis = { ...(state!['redis'] as object), kind: 'sentinel' };
  const { directories: _, ...storage } = archive!['storage'] as Record<string, unknown>;
  const config = { ...rest, state: { redis }, archive: { ...archive, storage } };
  expect(schema.parse(config)).toMatchObject({ id: 'ams-1', playback: { beatMs: 20 } });
});
