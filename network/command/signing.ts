// What commands sign with: the secret of the cluster, as the configuration or the data folder has it.

import { readConfig } from '../config/config.ts';
import type { Flags } from '../config/options.ts';
import { loadSecrets } from '../config/secrets.ts';
import { type Grant, signToken } from '../token.ts';
import type { Options } from './command.ts';

/** Of commands that sign. */
export const SECRET_OPTIONS = {
  config: { value: '<file>', help: 'with the secrets of the cluster; HEADWATER_SECRETS goes before it' },
  data: { value: '<folder>', help: 'where usher keeps the secret that it made itself (./data)' },
} as const satisfies Options;

/** Signs with the secret that the options name. Throws `bad_config` and `bad_secret`. */
export async function sign(flags: Pick<Flags, 'config' | 'data'>, grant: Grant): Promise<string> {
  const { config, data } = flags;
  const configured = readConfig({ config, data });
  return signToken(await loadSecrets(configured.secrets, configured.data), grant);
}
