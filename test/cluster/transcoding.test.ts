// Five streams and three workers with two slots each, one server more for when these are full: what viewers lose of renditions while workers come and go.

import { expect, test } from 'vitest';
import { makersIn } from '../tools/cluster/makers.ts';
import { TestCluster, until } from '../tools/cluster/test-cluster.ts';
import { clip, sources } from '../tools/media/media.ts';
import { FileBroadcast } from '../tools/rtmp/file-broadcast.ts';

const STREAMS = ['s1', 's2', 's3', 's4', 's5'] as const;
const RUNG = '46p15';
/** Half a second of pictures and sound. */
const SOME_CHUNKS = 30;
// Encoders that stand back are given next to nothing by a machine that all test files share.
const TRANSCODE = { preset: 'ultrafast', slots: 2, nice: 0 };
const WORKER = { site: 'fra1', roles: ['transcoder'], transcode: TRANSCODE } as const;
const ENCODED = [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-g',
  '15',
  '-c:a',
  'aac',
  '-b:a',
  '32k',
  '-f',
  'flv',
];
const source = (): Uint8Array =>
  clip('flv', [...sources({ seconds: 4, size: '160x90', rate: '15' }), ...ENCODED]);

test('rungs of five streams go on without a gap when an ffmpeg and then a worker is killed, and where a segment begins when one is emptied or a crowd needs it', async () => {
  await using cluster = await TestCluster.start({
    servers: {
      o: { site: 'fra1', roles: ['origin', 'edge', 'transcoder'], transcode: { ...TRANSCODE, slots: 1 } },
      ...{ w1: WORKER, w2: WORKER, w3: WORKER },
    },
    ushers: ['u'],
    usherConfig: { transcode: { ladder: [RUNG] } },
    streams: STREAMS,
    isPressable: true,
  });
  await using opened = new AsyncDisposableStack();
  for (const stream of STREAMS) opened.use(new FileBroadcast(cluster.publishUrl('o', stream), source()));
  let makers: ReadonlyMap<string, string> = new Map();
  const untilMade = (what: string, isSo: () => boolean): Promise<void> =>
    until(
      () => `${what}: ${JSON.stringify([...makers])}`,
      async () => {
        makers = makersIn(await cluster.snapshot());
        return makers.size === STREAMS.length && isSo();
      },
    );
  const loads = (): Record<string, number> =>
    Object.fromEntries(
      Map.groupBy(makers.values(), (id) => id)
        .entries()
        .map(([id, jobs]) => [id, jobs.length]),
    );
  await untilMade('the farm makes all rungs', () => makers.values().every((id) => id !== 'o'));
  expect(Object.values(loads()).sort()).toEqual([1, 2, 2]);

  const readers = STREAMS.map((stream) => opened.use(cluster.read('o', RUNG, stream)));
  /** What comes of each rung once everything is in order again has nothing before it that is missing. */
  const expectNothingLost = async (): Promise<void> => {
    const wanted = readers.map(({ chunks }) => chunks + SOME_CHUNKS);
    await until(
      () => `more of all rungs than ${readers.map(({ chunks }) => chunks)} of ${wanted}`,
      () => readers.every(({ chunks }, index) => chunks >= wanted[index]!),
    );
    const losses = readers.map(({ lost, repeated }) => ({ lost, repeated }));
    expect(losses).toEqual(STREAMS.map(() => ({ lost: 0, repeated: 0 })));
  };
  await expectNothingLost();

  const victim = makers.get('s1')!;
  const { pid } = cluster
    .server(victim)
    .lines.findLast(({ msg, stream }) => msg === 'transcodes' && stream === 's1')!;
  process.kill(pid as number, 'SIGKILL');
  await expectNothingLost();

  await cluster.kill(victim);
  await untilMade('the others make what the killed one made', () =>
    makers.values().every((id) => id !== victim),
  );
  await expectNothingLost();

  await cluster.startServer(victim);
  const drained = makers.get('s2') === 'o' ? makers.get('s3')! : makers.get('s2')!;
  for (const reader of readers) reader.begin();
  await cluster.drain(drained);
  await untilMade('the others make what the emptied one made', () =>
    makers.values().every((id) => id !== drained),
  );
  await expectNothingLost();
  expect(makers.values().toArray()).toContain('o');

  await cluster.startServer('w4', WORKER);
  cluster.press('o');
  await untilMade('the farm makes what the busy one made', () => makers.values().every((id) => id !== 'o'));
  await expectNothingLost();
  expect(readers.map(({ splits }) => splits)).toEqual(STREAMS.map(() => 0));
});
