// The Helm chart, as far as it can be checked without Helm: templates, values and schema speak of the same things, as the image does.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import manifest from '../../package.json' with { type: 'json' };
import { INSTALLED } from '../tools/world/prometheus.ts';

const CHART = join(INSTALLED, 'helm/headwater');

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

type Values = Readonly<Record<string, unknown>>;

function text(...path: string[]): string {
  return readFileSync(join(CHART, ...path), 'utf8');
}

const templates = readdirSync(join(CHART, 'templates')).map((name) => text('templates', name));
const values = parse(text('values.yaml')) as Values & { poolDefaults: Values };
const schema = JSON.parse(text('values.schema.json')) as Schema;

/** What templates read of what `prefix` names, as lists of keys. */
function readOf(prefix: string): string[][] {
  const found = templates.flatMap((template) => [
    ...template.matchAll(new RegExp(`${prefix}((?:\\.\\w+)+)`, 'g')),
  ]);
  return found.map(([, keys]) => keys!.slice(1).split('.'));
}

function has(all: unknown, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true;
  return typeof all === 'object' && all !== null && key in all && has((all as Values)[key], rest);
}

test('templates read values that there are', () => {
  const ofAll = readOf('\\.Values');
  const ofPools = readOf('(?:\\$|\\.)pool');
  expect([ofAll.length > 20, ofPools.length > 20]).toEqual([true, true]);
  expect(ofAll.filter((keys) => !has(values, keys))).toEqual([]);
  expect(ofPools.filter((keys) => !has(values.poolDefaults, keys))).toEqual([]);
});

test('the schema knows every value, and of sections that are the chart’s own nothing else', () => {
  const described = (node: Schema): Schema =>
    node.$ref ? schema.definitions![node.$ref.replace('#/definitions/', '')]! : node;
  const compare = (given: unknown, node: Schema, path: string): void => {
    const { properties } = described(node);
    if (!properties || path === 'pools') return;
    const known = Object.keys(properties).filter((key) => key !== 'global');
    expect([path, Object.keys(given as Values).toSorted()]).toEqual([path, known.toSorted()]);
    for (const key of known) compare((given as Values)[key], properties[key]!, key);
  };
  compare(values, schema, '');
});

test('it is of this version, and runs as the user that the image has', () => {
  expect(parse(text('Chart.yaml'))).toMatchObject({
    version: manifest.version,
    appVersion: manifest.version,
  });
  const [, user] = /^USER (\d+):\1$/m.exec(readFileSync(join(INSTALLED, 'Containerfile'), 'utf8'))!;
  expect(text('templates/_process.tpl')).toContain(`runAsUser: ${user}\n`);
});
