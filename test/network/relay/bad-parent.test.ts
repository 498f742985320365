import { afterEach, describe, expect, test } from 'vitest';
import type { Feed } from '../../../network/feed/feed.ts';
import { writeSignal } from '../../../network/relay/signal.ts';
import { type Answerer, FakeParent, heartbeat } from '../../tools/cluster/fake-parent.ts';
import { RelayServer, until, untilAt } from '../../tools/cluster/relay.ts';
import { Broadcaster } from '../../tools/media/feed.ts';

const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

/** A true feed, 5 s long, of which a bad parent gives the beginning right. */
const truth = new Broadcaster().play(5).feed;
const GOOD = 40;

describe('a parent that sends', () => {
  test.each<[string, string, (feed: Feed) => readonly Uint8Array[]]>([
    ['garbage in the middle of a feed', 'bad_box', () => [Buffer.alloc(100)]],
    ['HTML in the middle of a feed', 'bad_stream', () => [Buffer.from('<!doctype html><title>502</title>')]],
    ['a box without end', 'bad_stream', () => [Buffer.from([0x7f, 0, 0, 0, ...Buffer.from('uuid')])]],
    ['a chunk from later on', 'bad_feed', (feed) => feed.bytes(GOOD + 3, GOOD + 5)],
    ['a chunk with a bit turned over', 'bad_chunk', (feed) => [damaged(feed, GOOD + 1)]],
    ['the init again', 'bad_feed', (feed) => [feed.initOf(100)!.bytes, ...feed.bytes(GOOD + 1, GOOD + 2)]],
    ['a chunk of an epoch before', 'bad_feed', () => chunkOf({ epoch: 50, msn: 90 })],
    ['a segment that was there', 'bad_feed', () => chunkOf({ epoch: 200, msn: 0 })],
    ['a new epoch without its init', 'bad_feed', () => chunkOf({ epoch: 200, msn: 90 }).slice(1)],
    ['a chunk of a track that the init has not', 'bad_feed', (feed) => [ofTrack9(feed.at(GOOD + 1)!.bytes)]],
    ['a signal that is none', 'bad_signal', () => [Buffer.from([0, 0, 0, 12, ...Buffer.from('free!!!!')])]],
    ['a path with this server in it', 'relay_loop', () => [heartbeat(GOOD + 1, ['o', 'child', 'bad'])]],
  ])('%s costs its own connection alone: the feed goes on from the next parent', async (_, code, bytes) => {
    const bad = await fakeParent('bad', (response) => {
      response.write(
        Buffer.concat([heartbeat(GOOD + 1, ['o', 'bad']), ...truth.wire(1, GOOD + 1), ...bytes(truth)]),
      );
    });
    const good = await serverWith(truth, 'good');
    const child = await server('child');
    child.follow(bad.parent, good);
    const feed = await untilAt(child, truth.next - 1);
    expect(child.lines.filter(({ fields }) => 'code' in fields).map(({ fields }) => fields.code)).toEqual([
      code,
    ]);
    expect(child.follows).toBe('good');
    expect(Buffer.concat(feed.wire(1, truth.next)).equals(Buffer.concat(truth.wire(1, truth.next)))).toBe(
      true,
    );
  });

  test.each<[string, string, Answerer]>([
    [
      'a feed before its heartbeat',
      'bad_stream',
      (response) => response.write(Buffer.concat(truth.wire(1, 9))),
    ],
    [
      'another server’s refusal',
      'relay_refused',
      (response) => response.writeHead(503).end('{"detail":"full"}'),
    ],
    ['half a feed', 'relay_broken', (response) => response.end(heartbeat(1, ['bad']))],
    ['nothing', 'relay_silent', () => {}],
    ['a head and nothing else', 'relay_silent', (response) => response.flushHeaders()],
    ['what is no HTTP', 'relay_broken', (response) => response.socket!.end('250 OK\r\n')],
  ])('%s is left for the next one', async (_, code, answer) => {
    const bad = await fakeParent('bad', answer);
    const good = await serverWith(truth, 'good');
    const child = await server('child');
    child.follow(bad.parent, good);
    await untilAt(child, truth.next - 1);
    expect(child.lines.find(({ fields }) => 'code' in fields)!.fields).toMatchObject({ parent: 'bad', code });
  });

  test('nothing but errors is asked again less and less often, up to once a second', async () => {
    const bad = await fakeParent('bad', (response) => response.writeHead(500).end());
    const child = await server('child');
    child.follow(bad.parent);
    await until('it was asked five times', () => bad.requests.length >= 5);
    const seen = bad.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(bad.requests.length - seen).toBeLessThanOrEqual(2);
  });

  test('an end ends the feed; what came before is there', async () => {
    const end = writeSignal({ kind: 'end', reason: 'over' });
    const bad = await fakeParent('bad', (response) => {
      response.write(Buffer.concat([heartbeat(GOOD + 1, ['o', 'bad']), ...truth.wire(1, GOOD + 1), end]));
    });
    const child = await server('child');
    child.follow(bad.parent);
    const feed = await until('it follows', () => child.feed);
    await until('the feed has ended', () => feed.ended !== undefined);
    expect([feed.ended, feed.isCut, feed.next]).toEqual(['over', false, GOOD + 1]);
  });

  test('a URL that makes no sense is left for the next one', async () => {
    const good = await serverWith(truth, 'good');
    const child = await server('child');
    child.follow({ id: 'bad', relayUrl: 'nowhere' }, good);
    await untilAt(child, truth.next - 1);
  });
});

async function server(id: string): Promise<RelayServer> {
  const started = await RelayServer.start(id);
  opened.push(started);
  return started;
}

/** Its own feed, with the chunks of another. */
async function serverWith(feed: Feed, id: string): Promise<RelayServer> {
  const started = await server(id);
  const own = started.feeds.open('alice', 'source');
  own.begin(feed.initOf(100)!);
  for (let sequence = feed.first; sequence < feed.next; sequence++) own.append(feed.at(sequence)!);
  return started;
}

async function fakeParent(id: string, answer: Answerer): Promise<FakeParent> {
  const parent = await FakeParent.start(id, answer);
  opened.push(parent);
  return parent;
}

/** Another track id where the sample's flags are wanted: the chunk's boxes no longer fit what a chunk is. */
function damaged(feed: Feed, sequence: number): Uint8Array {
  const bytes = Buffer.from(feed.at(sequence)!.bytes);
  const trun = bytes.indexOf('trun');
  bytes[trun + 11]! ^= 2;
  return bytes;
}

/** The init and the first chunk of another broadcast, with the sequence number that is due. */
function chunkOf(first: { epoch: number; msn: number }): Uint8Array[] {
  const other = new Broadcaster({}, undefined, { ...first, discontinuitySequence: 0 }).frame().feed;
  return [other.initOf(first.epoch)!.bytes, renumbered(other.at(1)!.bytes, GOOD + 1)];
}

function ofTrack9(chunk: Uint8Array): Uint8Array {
  const bytes = Buffer.from(chunk);
  bytes.writeUInt32BE(9, bytes.indexOf('tfhd') + 8);
  return bytes;
}

function renumbered(chunk: Uint8Array, sequence: number): Uint8Array {
  const bytes = Buffer.from(chunk);
  bytes.writeUInt32BE(sequence, bytes.indexOf('mfhd') + 8);
  return bytes;
}
