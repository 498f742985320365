// One server of the relay's benchmark: follows as it is told, by its parent process or by the plan in a Redis, and notes when each
// chunk came. `relay-node.ts <id> <origin|edge> [<address of Redis as JSON>]`.

import { systemClock } from '../../network/clock.ts';
import type { Feed } from '../../network/feed/feed.ts';
import type { Chunk } from '../../network/media/chunk.ts';
import { Member } from '../../network/state/member.ts';
import type { RedisAddress } from '../../network/state/redis/redis-client.ts';
import { RedisState } from '../../network/state/redis/state-redis.ts';
import type { Follow, Parent } from '../../network/state/state.ts';
import { holding, serverRecord, streamRecord } from '../tools/cluster/cluster-records.ts';
import { RENDITION, RelayServer, STREAM } from '../tools/cluster/relay.ts';
import { Broadcaster } from '../tools/media/feed.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';

export type Order =
  | { readonly kind: 'follow'; readonly parent: Parent }
  /** Forget what was noted so far. */
  | { readonly kind: 'begin' }
  | { readonly kind: 'report' };

export interface NodeReport {
  /** By sequence number, how old a chunk was when it was appended here, in µs. */
  readonly agesUs: readonly (readonly [number, number])[];
  /** When the first segment was whole: of the clock that all processes of a machine share, in ms. */
  readonly firstSegmentAtMs: number | undefined;
}

/** A stream of about 4 Mbps: 30 frames of video and 47 of audio a second. */
const FRAME_BYTES = 6_500;
const FRAME_MS = 1000 / 30;

const [id = '', role, address] = process.argv.slice(2);
const server = await RelayServer.start(id);
const ages: [number, number][] = [];
let firstSegmentAtMs: number | undefined;
let noted: Feed | undefined;

if (role === 'origin') broadcast(server.feeds.open(STREAM, RENDITION));
if (address) join(JSON.parse(address));
process.on('message', (order: Order) => {
  if (order.kind === 'follow') follow([{ stream: STREAM, rendition: RENDITION, parents: [order.parent] }]);
  if (order.kind === 'begin') ages.length = 0;
  if (order.kind === 'report') process.send!({ agesUs: ages, firstSegmentAtMs } satisfies NodeReport);
});
process.send!(server.parent);

/** Frames come by the clock, whatever time their writing takes; each holds the time at which it was made. */
function broadcast(feed: Feed): void {
  const fill = (data: Uint8Array): void => new DataView(data.buffer).setBigUint64(0, process.hrtime.bigint());
  const broadcaster = new Broadcaster({ frameBytes: FRAME_BYTES, gopS: 1, fill }, feed).play(5);
  feed.subscribe(note);
  const beganAtMs = performance.now();
  let frames = 0;
  setInterval(() => {
    for (; frames * FRAME_MS < performance.now() - beganAtMs; frames++) broadcaster.frame();
  }, 4);
}

function join(redis: RedisAddress): void {
  const [clock, logger] = [systemClock, keepingLogger()];
  const record = serverRecord(id, { relayUrl: server.parent.relayUrl });
  new Member({
    state: new RedisState({ address: redis, clock, logger }),
    id,
    clock,
    logger,
    describe: () => ({
      server: { ...record, holdings: server.feed ? [holding(STREAM, { next: server.feed.next })] : [] },
      streams: role === 'origin' ? [streamRecord(STREAM, id, 1)] : [],
    }),
    onAnswer: ({ assignment }) => assignment && follow(assignment.follows),
    onTaken: (reason) => {
      throw reason;
    },
  });
}

/** Only the first time is measured: the plan does not change any more. */
function follow(follows: readonly Follow[]): void {
  server.holdings.assign(follows);
  if (!server.feed || noted === server.feed) return;
  noted = server.feed;
  let segments = 0;
  server.feed.subscribe((chunk) => {
    note(chunk);
    if (chunk?.startsSegment && ++segments === 2) firstSegmentAtMs = Number(process.hrtime.bigint()) / 1e6;
  });
}

function note(chunk: Chunk | undefined): void {
  if (!chunk) return;
  const { bytes, sequence } = chunk;
  const madeAt = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(bytes.length - FRAME_BYTES);
  ages.push([sequence, Number(process.hrtime.bigint() - madeAt) / 1000]);
}
