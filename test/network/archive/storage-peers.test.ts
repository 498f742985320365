import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordingId } from '../../../network/archive/index-file.ts';
import { Library } from '../../../network/archive/library.ts';
import { peerRoutes } from '../../../network/archive/peer-routes.ts';
import { Shelf } from '../../../network/archive/shelf.ts';
import { StorageCache } from '../../../network/archive/storage-cache.ts';
import { DirectoryStorage } from '../../../network/archive/storage-directory.ts';
import { PeerStorage } from '../../../network/archive/storage-peers.ts';
import { getBytes } from '../../../network/http/dial.ts';
import type { HttpServer } from '../../../network/http/http.ts';
import { signToken } from '../../../network/token.ts';
import { serveRoutes } from '../../tools/cluster/serve-routes.ts';
import { writeRecording } from '../../tools/media/recordings.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { ScratchFolder } from '../../tools/world/scratch-folder.ts';

const SECRETS = ['a secret for the tests'];
const T = 1_800_000_000_000;
const ID = recordingId('alice', T);
const clock = new ManualClock();

let scratch: ScratchFolder;
let servers: HttpServer[];
let peers: string[];
beforeEach(async () => {
  scratch = await ScratchFolder.make();
  servers = [];
  for (const name of ['a', 'b'])
    servers.push(
      await serveRoutes(peerRoutes({ folders: [join(scratch.path, name)], secrets: SECRETS, clock })),
    );
  peers = servers.map(({ port }) => `http://127.0.0.1:${port}`);
});
afterEach(async () => {
  for (const server of servers) await server.close();
  await scratch[Symbol.asyncDispose]();
});

const write = (server: string, msn: number, segments: number, isClosed = true): Promise<string> =>
  writeRecording({
    folder: join(scratch.path, server),
    stream: 'alice',
    startedAtMs: T,
    msn,
    segments,
    isClosed,
  });

const storage = (secrets: readonly string[] = SECRETS): PeerStorage =>
  new PeerStorage({ peersOf: async () => peers, getBytes, secrets, clock });

/** Of a server that has nothing of it itself, through a cache. */
function elsewhere(): Library {
  const own = new Shelf(new DirectoryStorage([join(scratch.path, 'here')]), keepingLogger());
  const cache = new StorageCache({
    storage: storage(),
    folder: join(scratch.path, 'cache'),
    maxBytes: 1e8,
    grows: true,
  });
  const others = new Shelf(cache, keepingLogger());
  return new Library({
    shelves: [
      { shelf: own, freshMs: 0, isHere: true },
      { shelf: others, freshMs: 0, isHere: false },
    ],
    clock,
  });
}

describe('a broadcast that moved from one server to another', () => {
  test('is one recording, with the bytes of both, at a server that has neither', async () => {
    await write('a', 0, 5);
    await write('b', 5, 7);
    const { recording, files } = (await elsewhere().find(ID))!;
    const [source] = recording.renditions;
    expect(source!.segments.map(({ msn }) => msn)).toEqual(Array.from({ length: 12 }, (_, at) => at));
    expect(source!.gaps).toEqual([]);
    const last = source!.segments.at(-1)!;
    const bytes = await files.get(last.file)!.read(last.at, last.at + last.bytes);
    expect(Buffer.from(bytes)).toEqual(Buffer.alloc(1_000, '11 '));
  });

  test('is seen as it grows', async () => {
    await write('a', 0, 5, false);
    const library = elsewhere();
    const countOf = async (): Promise<number> =>
      (await library.find(ID))!.recording.renditions[0]!.segments.length;
    expect(await countOf()).toBe(5);
    const { files } = (await library.find(ID))!;
    await files.get('source.0000000000')!.read(0, 3_000);
    // As if the same file had got more: its cached block is short of it.
    await rm(join(scratch.path, 'a'), { recursive: true });
    await write('a', 0, 9, false);
    expect(await countOf()).toBe(9);
    const more = (await library.find(ID))!;
    const last = more.recording.renditions[0]!.segments.at(-1)!;
    const bytes = await more.files.get(last.file)!.read(last.at, last.at + last.bytes);
    expect(Buffer.from(bytes)).toEqual(Buffer.alloc(1_000, '8 '));
  });

  test('is what can be had of it while one of them is away', async () => {
    await write('a', 0, 5);
    peers.push('http://127.0.0.1:9');
    await expect(elsewhere().find(ID)).rejects.toMatchObject({ code: 'storage_unavailable' });
    peers.pop();
    expect((await elsewhere().find(ID))!.recording.renditions[0]!.segments).toHaveLength(5);
  });
});

test('nothing is given to who has no token of the cluster, or asks for what is no part of a recording', async () => {
  await write('a', 0, 5);
  const listed = (secrets: readonly string[]) => Array.fromAsync(storage(secrets).list(`${ID}/`));
  await expect(listed(['another secret of 16'])).rejects.toMatchObject({ code: 'storage_unavailable' });
  expect((await listed(SECRETS)).map(({ key }) => key)).toEqual([
    `${ID}/source.0000000000.index`,
    `${ID}/source.0000000000.mp4`,
  ]);
  const grant = {
    purpose: 'relay',
    stream: 'alice',
    expiresAtMs: clock.now() + 60_000,
    session: '',
  } as const;
  const base = `${peers[0]}/recordings/${signToken(SECRETS, grant)}`;
  const statusOf = async (path: string): Promise<number> => (await fetch(base + path)).status;
  expect(await statusOf(`/${ID}/files/source.0000000000.mp4`)).toBe(200);
  expect(await statusOf(`/${ID}/files/..%2f..%2fid`)).toBe(404);
  expect(await statusOf(`/${ID}/files/none.mp4`)).toBe(404);
  expect(await statusOf(`/alice...${ID.slice(6)}/files`)).toBe(403);
  const play = signToken(SECRETS, { ...grant, purpose: 'play' });
  expect((await fetch(`${peers[0]}/recordings/${play}/${ID}/files`)).status).toBe(403);
});
