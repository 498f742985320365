// `headwater archive clean` and `rebuild`: sees by hand to the recordings on this machine's disks and in long-term storage.

import type { openCatalogue } from '../../network/archive/open-catalogue.ts';
import { openStores } from '../../network/archive/stores.ts';
import type { Clock } from '../../network/clock.ts';
import { type Command, defineCommand } from '../../network/command/command.ts';
import { readConfig } from '../../network/config/config.ts';
import { loadOwnId } from '../../network/config/own-id.ts';
import type { Config } from '../../network/config/schema/schema.ts';
import { CodedError } from '../../network/errors.ts';
import type { Logger } from '../../network/logger.ts';
import { Janitor } from '../archive/keeping/janitor.ts';
import type { Removal } from '../archive/keeping/retention.ts';
import { Stock, type StockOptions } from '../archive/keeping/stock.ts';
import { createPolicy } from '../archive/policy.ts';
import { systemFiles } from '../archive/recording/files.ts';

export interface ArchiveTools {
  readonly openCatalogue: typeof openCatalogue;
  readonly clock: Clock;
  readonly logger: Logger;
}

const CONFIG_OPTION = { config: { value: '<file>', help: 'the configuration of the server' } } as const;

export function archiveCommands(tools: ArchiveTools): Command[] {
  return [cleanCommand(tools), rebuildCommand(tools)];
}

function cleanCommand(tools: ArchiveTools): Command {
  return defineCommand({
    name: 'clean',
    summary: 'remove from this machine’s disks and from storage what has expired',
    options: { dryRun: { help: 'say what would go, and leave it' }, ...CONFIG_OPTION },
    examples: [['headwater archive clean --dry-run --config server.yaml', 'what would go']],
    async run({ dryRun = false, config: file }) {
      const config = readConfig({ config: file });
      await using opened = new AsyncDisposableStack();
      const options = await stockOptions(config, tools, opened);
      const reserveBytes = config.archive.reserveMb * 1_000_000;
      const janitor = new Janitor({
        ...options,
        stock: new Stock(options),
        files: systemFiles,
        reserveBytes,
      });
      const removals = await janitor.clean({ dryRun });
      return { value: { isDry: dryRun, removals }, text: removalsText(removals, dryRun) };
    },
  });
}

function rebuildCommand(tools: ArchiveTools): Command {
  return defineCommand({
    name: 'rebuild',
    summary: 'tell the catalogue, in the Redis that the file names, of all that is in storage',
    options: CONFIG_OPTION,
    examples: [['headwater archive rebuild --config server.yaml', 'after Redis was lost']],
    async run({ config: file }) {
      const config = readConfig({ config: file });
      await using opened = new AsyncDisposableStack();
      const recordings = await rebuild(new Stock(await stockOptions(config, tools, opened)), config);
      return { value: { recordings }, text: `${recordings} recordings are in the catalogue\n` };
    },
  });
}

async function stockOptions(
  config: Config,
  tools: ArchiveTools,
  opened: AsyncDisposableStack,
): Promise<StockOptions> {
  const catalogue = tools.openCatalogue({ ...tools, config, opened });
  const keeper = config.id ?? (await loadOwnId(config.data));
  const policy = createPolicy(config.archive);
  return { ...tools, ...openStores({ ...tools, config }), catalogue, keeper, policy };
}

async function rebuild({ stored }: Stock, { state }: Config): Promise<number> {
  if (!stored) throw new CodedError('bad_usage', 'the configuration names no storage of recordings');
  if (state.redis) return stored.noteAll();
  throw new CodedError(
    'bad_usage',
    'the configuration names no Redis; without one, a server has the catalogue and makes it anew when it starts',
  );
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
