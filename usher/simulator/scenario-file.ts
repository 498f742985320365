// Reads a scenario: YAML or JSON, checked as a whole, with the files that it names beside it.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { explain, parseYaml, type YamlText } from '../../network/config/yaml.ts';
import { CodedError, reasonOf } from '../../network/errors.ts';
import { readTopology } from '../../network/map/topology-file.ts';
import type { ArrivalsAsked, Scenario } from './scenario.ts';
import { type RawScenario, scenarioSchema } from './scenario-schema.ts';
import { contradictionsIn } from './scenario-sense.ts';
import { readTrace } from './trace.ts';

/** Throws `bad_scenario` with everything that is wrong, each with its file, line, key and value. */
export function readScenario(file: string): Scenario {
  const text = parse(file);
  const parsed = scenarioSchema.safeParse(text.value, { reportInput: true });
  if (!parsed.success) {
    const wrong = explain(
      parsed.error,
      (path) => `${file}:${text.lineOf(path)}: `,
      () => false,
    );
    throw new CodedError('bad_scenario', wrong);
  }
  const scenario = scenarioFrom(parsed.data, dirname(file));
  const contradictions = contradictionsIn(scenario);
  if (contradictions.length === 0) return scenario;
  const lines = contradictions.map(({ path, what }) => `${file}:${text.lineOf(path)}: ${what}`);
  throw new CodedError('bad_scenario', lines.join('\n'));
}

function parse(file: string): YamlText {
  try {
    return parseYaml(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CodedError('bad_scenario', `${file}: ${reasonOf(error)}`, { cause: error });
  }
}

function scenarioFrom(raw: RawScenario, folder: string): Scenario {
  return {
    ...raw,
    topology: readTopology(readFile(join(folder, raw.topology))),
    arrivals: raw.arrivals.map((asked) => arrivalsFrom(asked, folder)),
  };
}

function arrivalsFrom(raw: RawScenario['arrivals'][number], folder: string): ArrivalsAsked {
  if (raw.kind !== 'trace') return raw;
  const file = join(folder, raw.file);
  return { kind: 'trace', rows: readTrace(file, readFile(file)) };
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CodedError('bad_scenario', reasonOf(error), { cause: error });
  }
}
