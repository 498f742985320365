// Fuzzed: what broadcasters send, from the first byte of the connection to chunks of the feed.

import { readFileSync } from 'node:fs';
import { FIRST_NUMBERING } from '../../../network/feed/numbering.ts';
import { readMetadata } from '../../../origin/flv/amf.ts';
import { readTag } from '../../../origin/flv/flv.ts';
import { readFlvTags } from '../../../origin/flv/flv-file.ts';
import type { AudioCodec, VideoCodec } from '../../../origin/media.ts';
import { readAudioFormat } from '../../../origin/packager/codec/audio-format.ts';
import { readVideoFormat } from '../../../origin/packager/codec/video-format.ts';
import { Packager } from '../../../origin/packager/packager.ts';
import { DEFAULT_RTMP_LIMITS } from '../../../origin/rtmp/limits.ts';
import { RtmpSession } from '../../../origin/rtmp/session.ts';
import { readRecording } from '../../../origin/sample/recording.ts';
import { enhancedAudio, enhancedVideo, writeFlvFile } from '../../tools/media/flv-file.ts';
import { AUDIO, amf0, command, DATA, message, setChunkSize, VIDEO } from '../../tools/rtmp/rtmp-bytes.ts';
import { connectObject, handshake } from '../../tools/rtmp/rtmp-client.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import type { Target } from '../target.ts';

const EPOCH_MS = 1_795_213_440_000;
const SAMPLE = readRecording(readFileSync(new URL('../../../origin/sample/broadcast.flv', import.meta.url)));
const HEADERS = SAMPLE.headers;
/** The sample's frames, short: how long they are says nothing. */
const FRAMES = SAMPLE.frames
  .slice(0, 40)
  .map((frame) => ({ ...frame, payload: frame.payload.subarray(0, 60) }));
const AVCC = Uint8Array.fromHex('0142c01fffe1000c6742c01fd9005005bb011000000301000468ce3c80');
const TYPES = { audio: AUDIO, video: VIDEO, data: DATA } as const;

/** A connection: the handshake is there already, since no other one would be let in. */
export const rtmp: Target = {
  name: 'rtmp',
  reads: 'RTMP: chunks, messages and commands after the handshake',
  seeds: () => [
    Buffer.concat([...commands(), ...media(128)]),
    Buffer.concat([...commands(), setChunkSize(4096), ...media(4096)]),
  ],
  words: [
    'connect',
    'createStream',
    'publish',
    'FCPublish',
    'deleteStream',
    'play',
    '@setDataFrame',
    'onMetaData',
    'tcUrl',
    'app',
    '\x00\x00\x09',
    '\x02\x00\x00\x00\x00\x00\x04\x01',
  ],
  async run(input) {
    const { session, decided } = openSession();
    session.read(handshake());
    const middle = input.length >> 1;
    session.read(Buffer.from(input.subarray(0, middle)));
    await decided();
    session.read(Buffer.from(input.subarray(middle)));
    await decided();
    session.drop('the input is over');
  },
};

/** A connection from its very first byte. */
export const rtmpHandshake: Target = {
  name: 'rtmp-handshake',
  reads: 'RTMP: a connection from its first byte',
  seeds: () => [handshake().subarray(0, 1600), Buffer.concat([handshake(), ...commands()])],
  run(input) {
    const { session } = openSession();
    for (let from = 0; from < input.length; from += 1000)
      session.read(Buffer.from(input.subarray(from, from + 1000)));
    session.drop('the input is over');
  },
};

/** What ffmpeg and OBS write to files is what they send, tag by tag. */
export const flv: Target = {
  name: 'flv',
  reads: 'FLV tags, up to the chunks that are packaged of them',
  seeds: () => [
    writeFlvFile([...HEADERS, ...FRAMES]),
    writeFlvFile([
      enhancedVideo({ fourCc: 'hvc1', packetType: 0, timestampMs: 0, keyframe: true, data: AVCC }),
      enhancedAudio({
        fourCc: 'Opus',
        packetType: 0,
        timestampMs: 0,
        data: Buffer.from('OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0', 'latin1'),
      }),
      enhancedAudio({ fourCc: 'Opus', packetType: 1, timestampMs: 0, data: Uint8Array.of(0xfc, 1, 2, 3) }),
    ]),
  ],
  words: [
    'FLV\x01\x05\0\0\0\x09\0\0\0\0',
    'avc1',
    'hvc1',
    'av01',
    'vp09',
    'Opus',
    'fLaC',
    'ac-3',
    'ec-3',
    '.mp3',
    '\x17\0\0\0\0',
    '\x27\x01\0\0\0',
    '\xaf\0',
    '\xaf\x01',
  ],
  run(input) {
    const packager = new Packager({ numbering: FIRST_NUMBERING });
    for (const [index, tag] of readFlvTags(input).entries()) {
      const made = packager.push(readTag(tag), EPOCH_MS + index * 10);
      // Three seconds of silence are the most that one frame may cause.
      if (made.length > 700) throw new Error(`one tag became ${made.length} chunks`);
    }
    packager.end();
  },
};

export const amf: Target = {
  name: 'amf',
  reads: "AMF0: a broadcast's metadata",
  seeds: () => [
    amf0('onMetaData', { width: 1280, height: 720, encoder: 'obs', stereo: true, nothing: null }),
    amf0('@setDataFrame', 'onMetaData', { videocodecid: 7 }),
  ],
  words: [
    '\0\x40\0\0\0\0\0\0\0',
    '\x01\x01',
    '\x02\0\x04',
    '\x03',
    '\x05',
    '\x06',
    '\x08\0\0\0\x01',
    '\0\0\x09',
    '\x0a\0\0\0\x01',
    '\x0b',
    '\x0c\0\0\0\x02',
    '\x11',
  ],
  run(input) {
    readMetadata(input);
  },
};

/** The first byte chooses the codec. */
export const codecs: Target = {
  name: 'codecs',
  reads: 'configurations and frames of AVC, HEVC, AV1, VP9 and six audio codecs',
  seeds: () =>
    [
      [0, AVCC],
      [4, Uint8Array.of(0x11, 0x90)],
      ...VIDEO_CODECS.map((_, index) => [index, AVCC] as const),
    ].map(([first, config]) => Buffer.concat([Uint8Array.of(first as number), config as Uint8Array])),
  words: [
    'OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0',
    'fLaC\0\0\0\x22',
    '\x0b\x77',
    '\xff\xfb\x90\x64',
    '\x81\x04\x0c\0\x0a\x0b',
    '\x49\x83\x42',
  ],
  run(input) {
    const [first = 0] = input;
    const config = input.subarray(1);
    const choice = first % (VIDEO_CODECS.length + AUDIO_CODECS.length);
    const video = VIDEO_CODECS[choice];
    if (video) readVideoFormat({ codec: video, config }, config);
    else readAudioFormat(AUDIO_CODECS[choice - VIDEO_CODECS.length]!, config).samplesIn(config);
  },
};

const VIDEO_CODECS: readonly VideoCodec[] = ['h264', 'hevc', 'av1', 'vp9'];
const AUDIO_CODECS: readonly AudioCodec[] = ['aac', 'mp3', 'opus', 'flac', 'ac3', 'eac3'];

function openSession() {
  const packager = new Packager({ numbering: FIRST_NUMBERING });
  let waits: Promise<unknown> = Promise.resolve();
  const publication = {
    message: (tag: Parameters<typeof readTag>[0]) => void packager.push(readTag(tag), EPOCH_MS),
    closed: () => void packager.end(),
  };
  const session = new RtmpSession({
    connectionId: 'rtmp-1',
    remoteAddress: '192.0.2.1',
    socket: { write: () => {}, pause: () => {}, resume: () => {}, end: () => {}, watch: () => {} },
    limits: DEFAULT_RTMP_LIMITS,
    clock: new ManualClock(),
    logger: keepingLogger(),
    onPublish: () => {
      const decision = Promise.resolve({ kind: 'accept' as const, publication });
      waits = decision;
      return decision;
    },
  });
  return { session, decided: async () => void (await waits) };
}

function commands(): Buffer[] {
  return [
    command('connect', 1, connectObject(1935)),
    command('createStream', 2, null),
    command('publish', 3, null, 'name?key=x', 'live'),
  ];
}

function media(chunkSize: number): Buffer[] {
  return [...HEADERS, ...FRAMES].map(({ type, timestampMs, payload }) =>
    message({ chunkStream: 4, type: TYPES[type], time: timestampMs, streamId: 1, payload, chunkSize }),
  );
}
