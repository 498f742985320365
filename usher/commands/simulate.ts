// `headwater simulate`: plays a scenario under our policies and under what other systems do, and says what came of it.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CodedError, reasonOf } from '../../network/errors.ts';
import { quoted } from '../../network/names.ts';
import { POLICIES, type Policies, policiesOf } from '../placement/price/policy.ts';
import { readPolicies } from '../placement/price/policy-file.ts';
import { BASELINES } from '../simulator/choosers/baselines.ts';
import { Headwater } from '../simulator/choosers/headwater/headwater.ts';
import type { Comparison } from '../simulator/report/comparison.ts';
import { pageOf } from '../simulator/report/page.ts';
import { briefOf, summaryOf, tableOf } from '../simulator/report/table.ts';
import { readScenario } from '../simulator/scenario-file.ts';
import { type MakeChooser, World } from '../simulator/world/world.ts';

const AGAINST = [...BASELINES.keys()];
const POLICY_NAMES = POLICIES.map(({ name }) => name);

export const SIMULATE_HELP = `  headwater simulate <scenario> [--policy ${POLICY_NAMES[0]}] [--against ${AGAINST.slice(0, 2).join(',')},...|all|none]
                     [--seed 1] [--brief | --json] [--report out.html]
                           plays a scenario (a file, or one of usher/simulator/scenarios by its name) and compares
                           policies (${POLICY_NAMES.join(', ')}, or a file; several with commas) with
                           ${AGAINST.join(', ')}`;

/** Returns what is to be printed. Throws `bad_usage` and `bad_scenario`. */
export function simulate(args: readonly string[], onProgress: (line: string) => void): string {
  const { file, choosers, seed, report, text } = readArgs(args);
  const scenario = readScenario(file);
  const results = choosers.map((makeChooser) => {
    const world = new World(scenario, seed, makeChooser);
    onProgress(`simulating ${scenario.name} under ${world.policy} ...\n`);
    return world.run();
  });
  const comparison: Comparison = { scenario, seed, results };
  if (report !== undefined) write(report, pageOf(comparison));
  return text(comparison);
}

interface Wanted {
  readonly file: string;
  readonly choosers: readonly MakeChooser[];
  readonly seed: number;
  readonly text: (comparison: Comparison) => string;
  readonly report: string | undefined;
}

function readArgs(args: readonly string[]): Wanted {
  const options = {
    policy: { type: 'string', default: POLICY_NAMES[0]! },
    against: { type: 'string', default: 'all' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    brief: { type: 'boolean', default: false },
    report: { type: 'string' },
  } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
    });
    const [scenario, ...others] = positionals;
    if (scenario === undefined || others.length > 0) throw new Error('one scenario is simulated at a time');
    const choosers = [...policiesIn(values.policy), ...baselinesIn(values.against)];
    const { brief, json, report } = values;
    const text = json ? jsonOf : brief ? briefOf : tableOf;
    return { file: fileOf(scenario), choosers, seed: seedIn(values.seed), report, text };
  } catch (error) {
    throw new CodedError('bad_usage', `${reasonOf(error)}\n\n${SIMULATE_HELP}`, { cause: error });
  }
}

function jsonOf(comparison: Comparison): string {
  return `${JSON.stringify(summaryOf(comparison), undefined, 2)}\n`;
}

/** A file; or one that comes with Headwater. */
function fileOf(scenario: string): string {
  const shipped = fileURLToPath(new URL(`../simulator/scenarios/${scenario}.yaml`, import.meta.url));
  return !existsSync(scenario) && /^[a-z-]+$/.test(scenario) && existsSync(shipped) ? shipped : scenario;
}

function policiesIn(list: string): MakeChooser[] {
  const names = list.split(',');
  return names.map((policy) => {
    const policies = policiesFrom(policy);
    const name = names.length > 1 ? `headwater-${basename(policy, '.yaml')}` : 'headwater';
    return (ground) => new Headwater(ground, { name, policies });
  });
}

/** A policy by its name, or what a file says. */
function policiesFrom(policy: string): Policies {
  if (POLICY_NAMES.includes(policy)) return policiesOf(POLICIES, policy, []);
  if (existsSync(policy)) return readPolicies(readFileSync(policy, 'utf8'));
  throw new Error(`policies are ${POLICY_NAMES.join(', ')}, or a file; got ${quoted(policy)}`);
}

function baselinesIn(list: string): MakeChooser[] {
  if (list === 'none') return [];
  if (list === 'all') return [...BASELINES.values()];
  return list.split(',').map((name) => {
    const make = BASELINES.get(name);
    if (make) return make;
    throw new Error(`others are ${AGAINST.join(', ')}; got ${quoted(name)}`);
  });
}

function seedIn(text: string): number {
  const seed = Number(text);
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new Error(`a seed is a whole number; got ${quoted(text)}`);
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CodedError('bad_usage', reasonOf(error), { cause: error });
  }
}
