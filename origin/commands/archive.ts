// `headwater archive`: sees by hand to the recordings on this machine's disks and in long-term storage.

import { parseArgs } from 'node:util';
import type { openCatalogue } from '../../network/archive/open-catalogue.ts';
import { openStores } from '../../network/archive/stores.ts';
import type { Clock } from '../../network/clock.ts';
import { type Config, readConfig } from '../../network/config/config.ts';
import { CodedError, reasonOf } from '../../network/errors.ts';
import type { Logger } from '../../network/logger.ts';
import { quoted } from '../../network/names.ts';
import { Janitor } from '../archive/keeping/janitor.ts';
import type { Removal } from '../archive/keeping/retention.ts';
import { Stock } from '../archive/keeping/stock.ts';
import { createPolicy } from '../archive/policy.ts';
import { systemFiles } from '../archive/recording/files.ts';

export const ARCHIVE_HELP = `  headwater archive clean [--dry-run] [--config <file>]
                           remove from this machine's disks and from storage what has expired, or say what would go
  headwater archive rebuild [--config <file>]
                           tell the catalogue, in the Redis that the file names, of all that is in storage`;

export interface ArchiveTools {
  readonly openCatalogue: typeof openCatalogue;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Returns what to print. Throws `bad_usage`, `bad_config`, and what disks, storage and Redis have to say. */
export async function seeToArchive(args: readonly string[], tools: ArchiveTools): Promise<string> {
  const { command, isDry, config } = readArgs(args);
  const { archive } = config;
  await using opened = new AsyncDisposableStack();
  const catalogue = tools.openCatalogue({ ...tools, config, opened });
  const stores = openStores({ ...tools, config });
  const keeper = config.id ?? 'this-machine';
  const options = { ...tools, ...stores, catalogue, keeper, policy: createPolicy(archive) };
  const stock = new Stock(options);
  if (command === 'rebuild') return `${await rebuild(stock, config)} recordings are in the catalogue\n`;
  const reserveBytes = archive.reserveMb * 1_000_000;
  const janitor = new Janitor({ ...options, stock, files: systemFiles, reserveBytes });
  return removalsText(await janitor.clean({ dryRun: isDry }), isDry);
}

async function rebuild({ stored }: Stock, { state }: Config): Promise<number> {
  if (!stored) throw new CodedError('bad_usage', 'the configuration names no storage of recordings');
  if (!state.redis)
    throw new CodedError(
      'bad_usage',
      'the configuration names no Redis; without one, a server has the catalogue and makes it anew when it starts',
    );
  return stored.noteAll();
}

function removalsText(removals: readonly Removal[], isDry: boolean): string {
  const lines = removals.map(({ id, where, why, file, bytes }) => {
    const what = file === undefined ? id : `${id}/${file}`;
    return `${what}  ${(bytes / 1e6).toFixed(1)} MB  ${why}  ${where}`;
  });
  const megabytes = removals.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  const total = `${removals.length} ${isDry ? 'would go' : 'are gone'}, ${megabytes.toFixed(1)} MB`;
  return `${[...lines, total].join('\n')}\n`;
}

interface Args {
  readonly command: 'clean' | 'rebuild';
  readonly isDry: boolean;
  readonly config: Config;
}

function readArgs([command, ...rest]: readonly string[]): Args {
  const options = { 'dry-run': { type: 'boolean', default: false }, config: { type: 'string' } } as const;
  try {
    if (command !== 'clean' && command !== 'rebuild')
      throw new Error(`archive takes clean or rebuild; got ${quoted(command ?? '')}`);
    const { values } = parseArgs({ args: rest, options });
    if (values['dry-run'] && command !== 'clean') throw new Error('--dry-run is for clean');
    const config = readConfig(values.config === undefined ? [] : ['--config', values.config]);
    return { command, isDry: values['dry-run'], config };
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError('bad_usage', `${reasonOf(error)}\n\n${ARCHIVE_HELP}`, { cause: error });
  }
}
