// Renditions of a cluster whose workers die: viewers far from them lose nothing.

import { expect, test } from 'vitest';
import { TestCluster, until } from '../tools/cluster/test-cluster.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';

const WORKER = { site: 'fra1', roles: ['transcoder'], transcode: { preset: 'ultrafast', slots: 2 } } as const;
const RUNG = '90p30';

/** The worker that says to make the rung, and runs an ffmpeg for it now. */
async function makerIn(cluster: TestCluster): Promise<string | undefined> {
  const { servers, plan } = await cluster.snapshot();
  return servers.find(({ id, transcoding }) => {
    const isPlanned = (plan[id]?.transcodes ?? []).length > 0;
    const makes = transcoding?.jobs.some(
      ({ state, renditions }) => state === 'running' && renditions.some(({ name }) => name === RUNG),
    );
    return isPlanned && makes && cluster.serverIds.includes(id);
  })?.id;
}

test('a rung goes on without a gap when its ffmpeg is killed, and then its worker, and when the next one is emptied', async () => {
  const origin = { site: 'fra1', roles: ['origin'] } as const;
  const edge = { site: 'ams1', roles: ['edge'] } as const;
  await using cluster = await TestCluster.start({
    servers: { o: origin, e: edge, w1: WORKER, w2: WORKER },
    ushers: ['u'],
    usherConfig: { transcode: { ladder: [RUNG] } },
  });
  await using _ = new Broadcaster(cluster.publishUrl('o'));
  let maker = '';
  const untilMade = (what: string, isOther: (id: string) => boolean): Promise<void> =>
    until(
      () => `${what} makes the rung`,
      async () => {
        const id = await makerIn(cluster);
        if (id !== undefined && isOther(id)) maker = id;
        return id !== undefined && isOther(id);
      },
    );
  await untilMade('a worker', () => true);
  await using reader = cluster.read('e', RUNG);
  const untilSeen = (chunks: number): Promise<void> =>
    until(
      () => `${chunks} chunks, after ${reader.chunks}`,
      () => reader.chunks >= chunks,
    );
  await untilSeen(30);

  const { pid } = cluster.server(maker).lines.findLast(({ msg }) => msg === 'transcodes')!;
  reader.begin();
  process.kill(pid as number, 'SIGKILL');
  await untilSeen(100);
  expect({ lost: reader.lost, repeated: reader.repeated }).toEqual({ lost: 0, repeated: 0 });

  const killed = maker;
  reader.begin();
  await cluster.kill(killed);
  await untilMade('another', (id) => id !== killed);
  await untilSeen(300);
  expect({ lost: reader.lost, repeated: reader.repeated }).toEqual({ lost: 0, repeated: 0 });

  await cluster.startServer(killed);
  const drained = maker;
  reader.begin();
  await cluster.drain(drained);
  await untilMade('the first', (id) => id !== drained);
  await untilSeen(200);
  expect({ lost: reader.lost, repeated: reader.repeated }).toEqual({ lost: 0, repeated: 0 });
});
