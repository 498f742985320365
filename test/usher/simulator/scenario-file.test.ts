import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CodedError } from '../../../network/errors.ts';
import { readScenario } from '../../../usher/simulator/scenario-file.ts';
import { lastingFolder } from '../../tools/world/scratch-folder.ts';

const SHIPPED = join(import.meta.dirname, '../../../usher/simulator/scenarios');
const folder = lastingFolder();

const small = readFileSync(join(SHIPPED, 'small.yaml'), 'utf8');
writeFileSync(
  join(folder, 'small-topology.yaml'),
  readFileSync(join(SHIPPED, 'small-topology.yaml'), 'utf8'),
);

/** The small scenario with something in it replaced. */
function changed(what: string | RegExp, by: string): string {
  const text = small.replace(what, by);
  expect(text).not.toBe(small);
  const file = join(folder, 'changed.yaml');
  writeFileSync(file, text);
  return file;
}

function failure(file: string): string {
  try {
    readScenario(file);
  } catch (error) {
    expect(error).toBeInstanceOf(CodedError);
    expect((error as CodedError).code).toBe('bad_scenario');
    return (error as CodedError).message;
  }
  throw new Error('it was read');
}

const shipped = readdirSync(SHIPPED).filter(
  (name) => name.endsWith('.yaml') && /^about:/m.test(readFileSync(join(SHIPPED, name), 'utf8')),
);

test.each(shipped)('%s that comes with Headwater is read', (name) => {
  expect(readScenario(join(SHIPPED, name)).name).toBe(name.slice(0, -'.yaml'.length));
});

test('JSON is read as YAML is', () => {
  const yaml = readScenario(join(SHIPPED, 'small.yaml'));
  const { topology: _, ...rest } = yaml;
  const file = join(folder, 'small.json');
  writeFileSync(file, JSON.stringify({ ...rest, topology: 'small-topology.yaml' }));
  expect(readScenario(file)).toEqual(yaml);
});

test('a trace beside it brings its viewers', () => {
  writeFileSync(
    join(folder, 'trace.csv'),
    'second,stream,audience,viewers,minutes\n0,1,nl,2,1.5\n3.5,12,us,1,10\n',
  );
  const file = changed(/^arrivals:\n/m, 'arrivals:\n  - { kind: trace, file: trace.csv }\n');
  expect(readScenario(file).arrivals[0]).toEqual({
    kind: 'trace',
    rows: [
      { second: 0, stream: 1, audience: 'nl', minutes: 1.5 },
      { second: 0, stream: 1, audience: 'nl', minutes: 1.5 },
      { second: 3.5, stream: 12, audience: 'us', minutes: 10 },
    ],
  });
});

describe('a clear error says', () => {
  test('the line, key and value of what may not be', () => {
    expect(failure(changed('minutes: 6', 'minutes: -6'))).toMatch(/changed\.yaml:4: minutes: .*\(got -6\)/);
    expect(failure(changed('kind: steady', 'kind: study'))).toMatch(/changed\.yaml:\d+: arrivals\.0/);
  });

  test.each([
    [/site: nyc, count: 4/, 'site: nowhere, count: 4', "the topology has no site 'nowhere'"],
    ['server: ams-1', 'server: ams-9', "there is no server 'ams-9'"],
    ['sites: [ams, nyc]', 'sites: [ams, rome]', "the topology has no link between 'ams' and 'rome'"],
    ['stream: 5', 'stream: 50', 'there are 12 streams; got 50'],
    ['name: de', 'name: nl', "there is more than one audience 'nl'"],
  ])('what is named and is not there: %s', (what, by, words) => {
    expect(failure(changed(what, by))).toMatch(new RegExp(`changed\\.yaml:\\d+: ${words}`));
  });

  test.each([
    ['second,stream\n', /:1: the first line is .*; got 'second,stream'/],
    ['second,stream,audience,viewers,minutes\n1,1,nl,1\n', /:2: a line is .*; got '1,1,nl,1'/],
    ['second,stream,audience,viewers,minutes\n1,0,nl,1,1\n', /:2: a line is/],
    ['second,stream,audience,viewers,minutes\n1,1,nl,99999999,1\n', /:2: more than 10000000 viewers/],
    ['second,stream,audience,viewers,minutes\n1,1,mars,1,1\n', /an audience 'mars' that is not here/],
  ])('what is wrong in a trace: %j', (csv, words) => {
    writeFileSync(join(folder, 'bad.csv'), csv);
    expect(failure(changed(/^arrivals:\n/m, 'arrivals:\n  - { kind: trace, file: bad.csv }\n'))).toMatch(
      words,
    );
  });

  test('that a file is not there', () => {
    expect(failure(join(folder, 'none.yaml'))).toMatch(/ENOENT/);
    expect(failure(changed('small-topology.yaml', 'none.yaml'))).toMatch(/ENOENT/);
  });
});
