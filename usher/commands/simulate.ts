// `headwater simulate`: plays a scenario under our policies and under what other systems do, and says what came of it.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, defineCommand } from '../../network/command/command.ts';
import type { Terminal } from '../../network/command/terminal.ts';
import { CodedError, reasonOf } from '../../network/errors.ts';
import { quoted } from '../../network/names.ts';
import { POLICIES, type Policies, policiesOf } from '../placement/price/policy.ts';
import { readPolicies } from '../placement/price/policy-file.ts';
import { BASELINES } from '../simulator/choosers/baselines.ts';
import { Headwater } from '../simulator/choosers/headwater/headwater.ts';
import type { Comparison } from '../simulator/report/comparison.ts';
import { pageOf } from '../simulator/report/page.ts';
import { briefOf, summaryOf, tableOf } from '../simulator/report/table.ts';
import type { Scenario } from '../simulator/scenario.ts';
import { readScenario } from '../simulator/scenario-file.ts';
import { type MakeChooser, World } from '../simulator/world/world.ts';

const AGAINST = [...BASELINES.keys()];
const POLICY_NAMES = POLICIES.map(({ name }) => name);

export const simulateCommand: Command = defineCommand({
  name: 'simulate',
  summary: 'try placement on viewers who are not there',
  details: `It plays a scenario under policies of ours, and under ${AGAINST.join(', ')}.`,
  arguments: { scenario: 'a file, or one of usher/simulator/scenarios by its name' },
  options: {
    policy: {
      value: '<names>',
      help: `${POLICY_NAMES.join(', ')}, or a file; several with commas`,
      default: POLICY_NAMES[0]!,
    },
    against: { value: '<names>', help: 'whom to compare with, with commas; all, or none', default: 'all' },
    seed: { value: '<number>', help: 'of all that is left to chance', default: '1' },
    brief: { help: 'a line for each' },
    report: { value: '<file>', help: 'write a page with curves and trees' },
  },
  examples: [
    ['headwater simulate small', 'takes a second'],
    ['headwater simulate flash-crowd --brief --against mist,moq', 'the figures that decide'],
    ['headwater simulate lost-site --report out.html', 'with curves and trees'],
  ],
  async run({ scenario: name, policy, against, seed, brief, report }, terminal) {
    const choosers = [...policiesIn(policy), ...baselinesIn(against)];
    const scenario = readScenario(fileOf(name));
    const comparison: Comparison = { scenario, ...play(scenario, seedIn(seed), choosers, terminal) };
    if (report !== undefined) write(report, pageOf(comparison));
    return { value: summaryOf(comparison), text: brief ? briefOf(comparison) : tableOf(comparison) };
  },
});

function play(scenario: Scenario, seed: number, choosers: readonly MakeChooser[], terminal: Terminal) {
  const minutes = scenario.warmupMinutes + scenario.minutes;
  const bar = terminal.progress(minutes * choosers.length);
  try {
    const results = choosers.map((makeChooser, at) => {
      const world = new World(scenario, seed, makeChooser);
      return world.run((minute) => bar.update(minutes * at + minute, world.policy));
    });
    return { seed, results };
  } finally {
    bar.stop();
  }
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
  throw new CodedError(
    'bad_usage',
    `policies are ${POLICY_NAMES.join(', ')}, or a file; got ${quoted(policy)}`,
  );
}

function baselinesIn(list: string): MakeChooser[] {
  if (list === 'none') return [];
  if (list === 'all') return [...BASELINES.values()];
  return list.split(',').map((name) => {
    const make = BASELINES.get(name);
    if (make) return make;
    throw new CodedError('bad_usage', `others are ${AGAINST.join(', ')}; got ${quoted(name)}`);
  });
}

function seedIn(text: string): number {
  const seed = Number(text);
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new CodedError('bad_usage', `a seed is a whole number; got ${quoted(text)}`);
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CodedError('bad_usage', reasonOf(error), { cause: error });
  }
}
