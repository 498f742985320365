// Several servers on one machine, one for each core, for as long as this process is not told to stop.

import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema/schema.ts';
import { CodedError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { nextSignal } from '../process/ending.ts';
import { startWorker, type WorkerProcess } from './worker-process.ts';
import { Workers } from './workers.ts';

/** JavaScript runs on one core. The servers find each other in the cluster's state, as all do. Throws `bad_config` where there is none. */
export async function serveSeveral(
  config: Config,
  count: number,
  tools: { readonly clock: Clock; readonly logger: Logger },
): Promise<void> {
  if (!config.state.redis)
    throw new CodedError(
      'bad_config',
      `cores: ${count} servers meet in a Redis, and \`state.redis\` names none`,
    );
  const start = (number: number): WorkerProcess => startWorker({ number, of: count });
  const workers = new Workers({ ...tools, count, start });
  const stopped = workers.stop(await nextSignal());
  void nextSignal().then((signal) => workers.stop(signal));
  await stopped;
}
