// Servers that each follow the one before, as a plan in their Redis has it: the broadcast comes to the first.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, systemClock } from '../../../network/clock.ts';
import { RedisState } from '../../../network/state/redis/state-redis.ts';
import type { Parent } from '../../../network/state/state.ts';
import { RedisServer } from '../../tools/cluster/redis-server.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { freePorts, type PinnedProcess, startProgram, untilReady } from '../processes.ts';
import { SECRET, STREAM, temporaryFolder, tokenFor } from './contender.ts';

export interface Link {
  readonly server: PinnedProcess;
  readonly rtmpPort: number;
  /** What a viewer plays, by the last name in its address. */
  url(viewer: string, file: string): string;
}

export interface Chain {
  readonly links: readonly Link[];
  /** Has each server follow the one before it; the stream must be there. */
  join(): Promise<void>;
}

/** So long a server takes to learn of its parent and to have the stream. */
const JOIN_MS = 1_500;

/** As many as there are cores named: each server runs on its own. All end with what opened them. */
export async function startChain(opened: AsyncDisposableStack, cores: readonly number[]): Promise<Chain> {
  const redis = opened.use(await RedisServer.start());
  const starting = cores.map((core, index) => startServer(opened, { id: `s${index}`, core, redis }));
  const servers = await Promise.all(starting);
  const parents = servers.map(({ port }, index): Parent => {
    return { id: `s${index}`, relayUrl: `http://127.0.0.1:${port}` };
  });
  const [address, logger] = [redis.address({ prefix: PREFIX }), keepingLogger()];
  const state = opened.use(new RedisState({ address, clock: systemClock, logger }));
  const join = async (): Promise<void> => {
    let term: number | undefined;
    for (const [index, { id }] of parents.entries()) {
      if (index === 0) continue;
      const follow = { stream: STREAM, rendition: 'source', parents: parents.slice(index - 1, index) };
      const plan = { [id]: { follows: [follow], successors: {} } };
      ({ term } = await state.lead('benchmark', term, { plan }));
      await sleep(systemClock, JOIN_MS);
    }
  };
  return { links: servers.map(({ link }) => link), join };
}

const PREFIX = 'benchmark';

interface Place {
  readonly id: string;
  readonly core: number;
  readonly redis: RedisServer;
}

async function startServer(opened: AsyncDisposableStack, { id, core, redis }: Place) {
  const [rtmpPort, port] = (await freePorts(2)) as [number, number];
  const folder = temporaryFolder(opened);
  const file = join(folder, 'config.yaml');
  const limits = 'feed: { windowS: 6 }\negressMbps: 100000\ncpuLimit: 1\nlog: error\n';
  writeFileSync(
    file,
    `id: ${id}\nstate: { redis: { addresses: ['${redis.hostAndPort}'], prefix: ${PREFIX} } }\n${limits}`,
  );
  const ports = ['--rtmp-port', String(rtmpPort), '--media-port', String(port)];
  const args = ['server', '--config', file, '--data', folder, ...ports];
  const environment = { HEADWATER_SECRETS: SECRET };
  const server = opened.use(startProgram(args, { core, environment }));
  await untilReady(`http://127.0.0.1:${port}/readyz`);
  const url = (viewer: string, name: string): string =>
    `http://127.0.0.1:${port}/play/${tokenFor('play', viewer)}/${STREAM}/source/${name}`;
  return { port, link: { server, rtmpPort, url } satisfies Link };
}
