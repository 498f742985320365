// Fuzzed: what servers send each other, and what is read of fragmented MP4 wherever it comes from.

import { Feed } from '../../../network/feed/feed.ts';
import { readBoxes, viewOf } from '../../../network/media/boxes.ts';
import { readChunk, readFrame } from '../../../network/media/chunk.ts';
import { codecsOf, type Init, readInit } from '../../../network/media/init.ts';
import { Splitter } from '../../../network/media/splitter.ts';
import { take } from '../../../network/relay/intake.ts';
import { readRelayRequest } from '../../../network/relay/request.ts';
import { readSignal, writeSignal } from '../../../network/relay/signal.ts';
import { Fragments } from '../../../transcoder/ffmpeg/fragments.ts';
import { Broadcaster } from '../../tools/media/feed.ts';
import { changeBoxes } from '../formats/boxes.ts';
import { inits } from '../samples.ts';
import type { Target } from '../target.ts';
import { onText, texts } from '../target.ts';

const BOXES = [
  'ftyp',
  'moov',
  'mvhd',
  'trak',
  'tkhd',
  'mdia',
  'mdhd',
  'hdlr',
  'stsd',
  'avc1',
  'avcC',
  'hvcC',
  'mp4a',
  'esds',
  'Opus',
  'dOps',
  'fLaC',
  'av01',
  'av1C',
  'vp09',
  'vpcC',
  'uuid',
  'prft',
  'moof',
  'tfhd',
  'tfdt',
  'trun',
  'mdat',
  'free',
  '\0\0\0\x01',
  '\0\0\0\x08free',
];

/** What a feed keeps is so little that it forgets the beginning of some inputs. */
const LIMITS = { windowMs: 300, minSegments: 2, maxBytes: 2000 };

/** A feed, in reads of 500 bytes. */
export const relay: Target = {
  name: 'relay',
  reads: "the relay's stream: inits, chunks and signals",
  seeds: () => [
    stream(withAudio()),
    stream(new Broadcaster({ ...SHORT, hasAudio: false, gopS: 0.1 }).play(0.6)),
    stream(new Broadcaster(SHORT).play(0.1).restart({ width: 320, hasAudio: false }).play(0.2)),
    stream(new Broadcaster({ ...SHORT, fps: 0 }).play(0.1)),
    Buffer.concat(inits().slice(0, 3)),
    Buffer.concat(inits().slice(3)),
  ],
  words: [...BOXES, '{"kind":"end","reason":""}', '{"kind":"move"}', '"path":["a"]', '"next":1', '[]', '7'],
  inFormat: changeBoxes,
  run(input) {
    const splitter = new Splitter();
    const feed = new Feed(LIMITS);
    let init: Init | undefined;
    for (let from = 0; from < input.length; from += 500) {
      for (const piece of splitter.push(input.subarray(from, from + 500))) {
        if (piece.kind === 'signal') readSignal(piece.bytes);
        else if (piece.kind === 'init') init = piece.init;
        else if (take(feed, piece.chunk, init)) init = undefined;
      }
    }
  },
};

export const mp4: Target = {
  name: 'mp4',
  reads: 'MP4 boxes: inits and chunks',
  seeds: () => [first('init'), first('chunk'), ...inits()],
  words: BOXES,
  inFormat: changeBoxes,
  run(input) {
    for (const box of readBoxes(viewOf(input))) {
      if (box.type === 'ftyp' || box.type === 'moov') codecsOf(readInit(input));
      if (box.type === 'uuid') readFrame(readChunk(input));
    }
  },
};

/** What ffmpeg writes, in reads of 100 bytes: a box never ends for want of a next one. */
export const fragments: Target = {
  name: 'fragments',
  reads: 'the fragmented MP4 that ffmpeg writes',
  seeds: () => [
    Buffer.concat([first('init'), first('chunk')]),
    Buffer.concat([...piecesOf(new Broadcaster({ ...SHORT, hasAudio: false }).play(0.4))]),
  ],
  words: [...BOXES, 'mvex', 'trex'],
  inFormat: changeBoxes,
  run(input) {
    const read = new Fragments();
    for (let from = 0; from < input.length; from += 100) read.push(input.subarray(from, from + 100));
  },
};

export const relayRequest: Target = {
  name: 'relay-request',
  reads: "the query of a follower's request",
  seeds: texts('as=edge-1', 'as=edge-1&from=17&epoch=1795213440'),
  words: ['as=', '&from=', '&epoch=', '%00', '+', '-1', '1e9', '99999999999'],
  run: onText((text) => readRelayRequest({ stream: 's', rendition: 'source' }, new URLSearchParams(text))),
};

const HEARTBEAT = writeSignal({ kind: 'heartbeat', next: 1, path: ['origin'], isFed: true });
const END = writeSignal({ kind: 'end', reason: 'over' });
const SHORT = { fps: 10, frameBytes: 20 };

/** The feed of a broadcaster, between two signals. */
function stream(broadcaster: Broadcaster): Buffer {
  return Buffer.concat([HEARTBEAT, ...piecesOf(broadcaster), writeSignal({ kind: 'move' }), END]);
}

function* piecesOf({ feed }: Broadcaster): Generator<Uint8Array> {
  for (let sequence = feed.first; sequence < feed.next; sequence++) {
    const { startsEpoch, epoch, bytes } = feed.at(sequence)!;
    if (startsEpoch) yield feed.initOf(epoch)!.bytes;
    yield bytes;
  }
}

function withAudio(): Broadcaster {
  return new Broadcaster(SHORT).play(0.2);
}

function first(kind: 'init' | 'chunk'): Uint8Array {
  const [init, chunk] = [...piecesOf(withAudio())];
  return kind === 'init' ? init! : chunk!;
}
