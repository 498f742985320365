// `headwater config`: checks a configuration before anything starts with it, and prints an example of one.

import { readFileSync } from 'node:fs';
import { type Command, type CommandGroup, defineCommand } from '../../network/command/command.ts';
import { readConfig } from '../../network/config/config.ts';
import { exampleText } from '../../network/config/example.ts';
import type { Config } from '../../network/config/schema/schema.ts';
import { withoutSecrets } from '../../network/config/secret-keys.ts';
import { formatYaml } from '../../network/config/yaml.ts';
import { CodedError, reasonOf } from '../../network/errors.ts';
import { readTopology } from '../../network/map/topology-file.ts';
import { readPolicies } from '../placement/price/policy-file.ts';

const checkCommand: Command = defineCommand({
  name: 'check',
  summary: 'say what is wrong with a configuration, and on which line',
  details: 'Also with the topology and the policies that it names. Keys that nobody knows are wrong.',
  arguments: { file: 'a configuration' },
  options: { print: { help: 'print what holds with this file and this environment, without secrets' } },
  examples: [
    ['headwater config check server.yaml', 'says nothing but that it is good, or what is wrong'],
    ['headwater config check server.yaml --print', 'with every default'],
  ],
  async run({ file, print }) {
    const config = readConfig({ config: file });
    const wrong = [...wrongIn(config.map.topology, readTopology), ...wrongIn(config.policies, readPolicies)];
    if (wrong.length > 0) throw new CodedError('bad_config', wrong.join('\n'));
    const effective = effectiveOf(config);
    return { value: { file, config: effective }, text: print ? formatYaml(effective) : `${file} is good\n` };
  },
});

function wrongIn(file: string | undefined, read: (text: string) => unknown): string[] {
  try {
    if (file !== undefined) read(readFileSync(file, 'utf8'));
    return [];
  } catch (error) {
    return reasonOf(error)
      .split('\n')
      .map((line) => `${file}: ${line}`);
  }
}

function effectiveOf({ trustedProxies, ...config }: Config): unknown {
  return withoutSecrets({ ...config, trustedProxies: trustedProxies.map(({ text }) => text) });
}

const exampleCommand: Command = defineCommand({
  name: 'example',
  summary: 'print a configuration with every option, its default and what it means',
  examples: [['headwater config example > server.yaml', 'to begin with']],
  async run() {
    const text = exampleText();
    return { value: { text }, text };
  },
});

export const configCommands: CommandGroup = {
  name: 'config',
  summary: 'check a configuration, or print an example',
  commands: [checkCommand, exampleCommand],
};
