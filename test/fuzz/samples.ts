// A configuration and a frame of each codec, and broadcasts of them: what the parsers of media begin from.

import { readFileSync } from 'node:fs';
import { writeInit } from '../../network/media/fmp4.ts';
import type { AudioCodec, RtmpMessage, VideoCodec } from '../../origin/media.ts';
import { readAudioFormat } from '../../origin/packager/codec/audio-format.ts';
import { readVideoFormat } from '../../origin/packager/codec/video-format.ts';
import { readRecording } from '../../origin/sample/recording.ts';
import { enhancedAudio, enhancedVideo } from '../tools/media/flv-file.ts';

interface Sample {
  readonly fourCc: string;
  readonly config: Uint8Array;
  readonly frame: Uint8Array;
}

/** Of encoders, at 64 x 64; a VP9 key frame tells its size itself. */
export const VIDEO: Readonly<Record<VideoCodec, Sample>> = {
  h264: {
    fourCc: 'avc1',
    ...sample('0142c01fffe1000c6742c01fd9005005bb011000000301000468ce3c80', '0000000465888410'),
  },
  hevc: {
    fourCc: 'hvc1',
    ...sample(
      '0101600000009000000000001ef000fcfdf8f800000f03200001001840010c01ffff01600000030090000003000003001e95980921000100284201010160000003009000000300' +
        '0003001ea020810596566924caf016808000000300800000050422000100074401c172b42240',
      '00000004260184dd',
    ),
  },
  av1: { fourCc: 'av01', ...sample('81000c000a0a00000002afff9b5f2008', '12000a0a00000002afff9b5f2008') },
  vp9: {
    fourCc: 'vp09',
    ...sample('010000000100000008820101010000', '824983420003f003f60c38241c184a000210'),
  },
};

export const AUDIO: Readonly<Record<AudioCodec, Sample>> = {
  aac: { fourCc: 'mp4a', ...sample('1190', '2110049000') },
  mp3: { fourCc: '.mp3', ...sample('fffb906400000000', 'fffb906400000000') },
  opus: { fourCc: 'Opus', ...sample('4f707573486561640102380180bb0000000000', 'fc010203') },
  flac: {
    fourCc: 'fLaC',
    ...sample(`664c614380000022${'00'.repeat(10)}0bb802f0${'00'.repeat(20)}`, 'fff8c9000001'),
  },
  ac3: { fourCc: 'ac-3', ...sample('0b77000000404300', '0b77000000404300') },
  eac3: { fourCc: 'ec-3', ...sample('0b7700043f8000000000', '0b7700043f80000000000b7740043f8000000000') },
};

/** The frames of the recording that Headwater has, short: how long they are says nothing. */
const RECORDING = readRecording(readFileSync(new URL('../../origin/sample/broadcast.flv', import.meta.url)));
export const BROADCAST: readonly RtmpMessage[] = [
  ...RECORDING.headers,
  ...RECORDING.frames.slice(0, 20).map((frame) => ({ ...frame, payload: frame.payload.subarray(0, 30) })),
];

/** Its configuration and some frames, 40 ms apart, in tags of E-RTMP. */
export function videoTags(
  codec: VideoCodec,
  packetTypes: readonly number[] = [0, 1, 3, 1, 2],
): RtmpMessage[] {
  const { fourCc, config, frame } = VIDEO[codec];
  return packetTypes.map((packetType, index) =>
    enhancedVideo({
      ...{ fourCc, packetType, timestampMs: index * 40, keyframe: index < 2 },
      data: packetType === 0 ? config : frame,
      ...(packetType === 1 && (codec === 'h264' || codec === 'hevc') ? { compositionMs: 80 } : {}),
    }),
  );
}

export function audioTags(codec: AudioCodec, packetTypes: readonly number[] = [0, 1, 1, 1]): RtmpMessage[] {
  const { fourCc, config, frame } = AUDIO[codec];
  return packetTypes.map((packetType, index) =>
    enhancedAudio({ fourCc, packetType, timestampMs: index * 20, data: packetType === 0 ? config : frame }),
  );
}

/** Media before the codec's configuration, codecs that there are not, and packets that are not carried. */
export function oddTags(): RtmpMessage[] {
  const odd = { timestampMs: 0, keyframe: true, data: Uint8Array.of(1, 2, 3) };
  return [
    ...[4, 5, 6, 7].map((packetType) => enhancedVideo({ ...odd, fourCc: 'avc1', packetType })),
    ...[2, 5, 7].map((packetType) => enhancedAudio({ ...odd, fourCc: 'Opus', packetType })),
    enhancedVideo({ ...odd, fourCc: 'none', packetType: 1 }),
    enhancedAudio({ ...odd, fourCc: 'none', packetType: 1 }),
    ...videoTags('av1', [1]),
    ...audioTags('opus', [1]),
  ];
}

/** With each codec, of video and of audio. */
export function inits(): Uint8Array[] {
  const videos = typed(VIDEO).map(([codec, { config, frame }]) => readVideoFormat({ codec, config }, frame));
  return typed(AUDIO).map(([codec, { config }], index) =>
    writeInit({ video: videos[index], audio: readAudioFormat(codec, config) }),
  );
}

/** The codecs in the order in which they stand here. */
export function typed<C extends string>(samples: Readonly<Record<C, Sample>>): [C, Sample][] {
  return Object.entries(samples) as [C, Sample][];
}

function sample(config: string, frame: string): Pick<Sample, 'config' | 'frame'> {
  return { config: Uint8Array.fromHex(config), frame: Uint8Array.fromHex(frame) };
}
