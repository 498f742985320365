// Fuzzed: what broadcasters send over RTMP, from the first byte of the connection to chunks of the feed.

import { FIRST_NUMBERING } from '../../../network/feed/numbering.ts';
import { readTag } from '../../../origin/flv/flv.ts';
import type { RtmpMessage } from '../../../origin/media.ts';
import { Packager } from '../../../origin/packager/packager.ts';
import { DEFAULT_RTMP_LIMITS } from '../../../origin/rtmp/limits.ts';
import type { PublishDecision, PublishRequest } from '../../../origin/rtmp/publication.ts';
import { RtmpSession } from '../../../origin/rtmp/session.ts';
import {
  AUDIO,
  amf0,
  command,
  control,
  DATA,
  message,
  setChunkSize,
  VIDEO,
} from '../../tools/rtmp/rtmp-bytes.ts';
import { connectObject, handshake, signedHandshake } from '../../tools/rtmp/rtmp-client.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { changeMessages } from '../formats/rtmp-messages.ts';
import { audioTags, BROADCAST, oddTags, videoTags } from '../samples.ts';
import type { Target } from '../target.ts';

const EPOCH_MS = 1_795_213_440_000;
/** Between messages: what waits for seconds is reached by some dozen of them. */
const FRAME_MS = 150;
const TYPES = { audio: AUDIO, video: VIDEO, data: DATA } as const;
const REFUSED = 'refused';
/** So small that inputs of some hundred bytes reach what is for those of megabytes. */
const LIMITS = {
  ...DEFAULT_RTMP_LIMITS,
  chunkStreams: 6,
  acknowledgeBytes: 4000,
  messageBytes: 2000,
  partialBytes: 4000,
};

/** A connection: the handshake is there already, since no other one would be let in. */
export const rtmp: Target = {
  name: 'rtmp',
  reads: 'RTMP: chunks, messages and commands after the handshake',
  seeds: () => [
    Buffer.concat([...publishing(), ...media(BROADCAST, 128)]),
    Buffer.concat([...publishing(), setChunkSize(4096), ...media(BROADCAST, 4096)]),
    Buffer.concat([...publishing(), ...media([...videoTags('hevc'), ...audioTags('opus')], 128)]),
    Buffer.concat([
      ...publishing(),
      ...media([...videoTags('av1'), ...audioTags('eac3'), ...videoTags('vp9')], 128),
    ]),
    Buffer.concat([...publishing(), ...media([...audioTags('flac'), ...oddTags()], 128)]),
    Buffer.concat([...publishing(), ...metadata(), ...controls(), ...leaving()]),
    Buffer.concat([...publishing(REFUSED), ...leaving()]),
    Buffer.concat([
      command('connect', 1, { ...connectObject(1935), capsEx: 1 }),
      command('play', 4, null, 'name'),
    ]),
    Buffer.concat([...publishing().slice(0, 1), ...publishing()]),
  ],
  words: [
    ...['connect', 'createStream', 'releaseStream', 'publish', 'FCPublish', 'FCUnpublish', 'deleteStream'],
    ...['closeStream', 'play', 'play2', '@setDataFrame', 'onMetaData', 'tcUrl', 'app', 'capsEx', 'live'],
    ...[
      '\x00\x00\x09',
      '\x02\x00\x00\x00\x00\x00\x04\x01',
      '\x03',
      '\x05',
      '\x08\0\0\0\x01',
      '\x0a\0\0\0\x02',
      '\x0b',
      '\x10',
    ],
  ],
  inFormat: changeMessages,
  maxBytes: 2048,
  async run(input) {
    const { session, decided, publishes } = openSession();
    session.read(handshake());
    const middle = input.length >> 1;
    session.read(Buffer.from(input.subarray(0, middle)));
    await decided();
    session.read(Buffer.from(input.subarray(middle)));
    await decided();
    for (const request of publishes) {
      request.reconnect('rtmp://[::]:1935/', 'the server is emptied');
      request.close('NetStream.Publish.Idle', 'it is over');
    }
    session.drop('the input is over');
  },
};

/** A connection from its very first byte. */
export const rtmpHandshake: Target = {
  name: 'rtmp-handshake',
  reads: 'RTMP: a connection from its first byte',
  seeds: () => [
    handshake().subarray(0, 1600),
    Buffer.concat([handshake(), ...publishing()]),
    ...([8, 772] as const).map((digestAt) => Buffer.concat([signedHandshake(digestAt), ...publishing()])),
  ],
  run(input) {
    const { session } = openSession();
    for (let from = 0; from < input.length; from += 1000)
      session.read(Buffer.from(input.subarray(from, from + 1000)));
    session.drop('the input is over');
  },
};

function openSession() {
  const packager = new Packager({ numbering: FIRST_NUMBERING });
  const publishes: PublishRequest[] = [];
  let waits: Promise<unknown> = Promise.resolve();
  let messages = 0;
  const publication = {
    message: (tag: RtmpMessage) => void packager.push(readTag(tag), EPOCH_MS + FRAME_MS * messages++),
    closed: () => void packager.end(),
  };
  const session = new RtmpSession({
    connectionId: 'rtmp-1',
    remoteAddress: '192.0.2.1',
    socket: { write: () => {}, pause: () => {}, resume: () => {}, end: () => {}, watch: () => {} },
    limits: LIMITS,
    clock: new ManualClock(),
    strangers: { say: (say) => say(1) },
    logger: keepingLogger(),
    onPublish(request) {
      publishes.push(request);
      const decision = Promise.resolve<PublishDecision>(
        request.name === REFUSED
          ? { kind: 'refuse', code: 'NetStream.Publish.BadName', description: 'it is taken' }
          : { kind: 'accept', publication },
      );
      waits = decision;
      return decision;
    },
  });
  return { session, publishes, decided: async () => void (await waits) };
}

function publishing(name = 'name?key=x'): Buffer[] {
  return [
    command('connect', 1, { ...connectObject(1935), capsEx: 1 }),
    command('releaseStream', 2, null, name),
    command('createStream', 3, null),
    command('publish', 4, null, name, 'live'),
  ];
}

function leaving(): Buffer[] {
  return ['FCUnpublish', 'closeStream', 'deleteStream'].map((name) => command(name, 5, null, 1));
}

function metadata(): Buffer[] {
  const values = { width: 1280, stereo: true, encoder: 'obs', nothing: null, more: new Map([['a', 1]]) };
  return [
    message({ type: DATA, streamId: 1, payload: amf0('@setDataFrame', 'onMetaData', values) }),
    message({ type: 15, streamId: 1, payload: Buffer.concat([Buffer.of(0), amf0('onMetaData', values)]) }),
  ];
}

/** A window, a ping, an abort within a message, a bandwidth, and a command in AMF3's wrapping. */
function controls(): Buffer[] {
  const begun = message({ chunkStream: 7, type: VIDEO, payload: Buffer.alloc(200) }).subarray(0, 140);
  return [
    control(5, 100),
    control(3, 4000),
    message({ chunkStream: 2, type: 4, payload: Buffer.of(0, 6, 0, 0, 0, 1) }),
    message({ chunkStream: 2, type: 6, payload: Buffer.of(0, 0, 16, 0, 2) }),
    message({ chunkStream: 400, type: 17, payload: Buffer.concat([Buffer.of(0), amf0('ping', 9, null)]) }),
    Buffer.concat([begun, control(2, 7)]),
    message({
      chunkStream: 65,
      type: 9,
      time: 0x1_00_00_00,
      payload: Buffer.of(0x17, 0, 0, 0, 0),
      streamId: 1,
    }),
  ];
}

function media(messages: readonly RtmpMessage[], chunkSize: number): Buffer[] {
  return messages.map(({ type, timestampMs, payload }) =>
    message({ chunkStream: 4, type: TYPES[type], time: timestampMs, streamId: 1, payload, chunkSize }),
  );
}
