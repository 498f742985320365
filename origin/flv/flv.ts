// Reads the bodies of RTMP audio, video and data messages: FLV tags (Video File Format 10.1 annex E, E-RTMP v1 and v2). Pure.

import { CodedError } from '../../network/errors.ts';
import { fourCharacterCode, viewOf } from '../../network/media/boxes.ts';
import type { AudioCodec, MediaPacket, RtmpMessage, VideoCodec } from '../media.ts';
import { readMetadata } from './amf.ts';

/** What is in a message. Throws `bad_tag` when its header is cut short; what can't be carried is a packet of its own kind. */
export function readTag(message: RtmpMessage): MediaPacket {
  if (message.payload.length === 0) return NOTHING;
  switch (message.type) {
    case 'video':
      return readVideo(message);
    case 'audio':
      return readAudio(message);
    case 'data': {
      const values = readMetadata(message.payload);
      return values ? { kind: 'metadata', values } : NOTHING;
    }
  }
}

const NOTHING: MediaPacket = { kind: 'nothing' };

const LEGACY_VIDEO: Readonly<Record<number, VideoCodec>> = { 7: 'h264', 12: 'hevc' };
const LEGACY_AUDIO: Readonly<Record<number, AudioCodec>> = { 2: 'mp3', 10: 'aac', 14: 'mp3' };
const LEGACY_VIDEO_NAMES: Readonly<Record<number, string>> = {
  2: 'Sorenson H.263',
  3: 'Screen video',
  4: 'VP6',
  5: 'VP6 with alpha',
  6: 'Screen video 2',
};
const LEGACY_AUDIO_NAMES: Readonly<Record<number, string>> = {
  0: 'PCM',
  1: 'ADPCM',
  3: 'PCM',
  4: 'Nellymoser',
  5: 'Nellymoser',
  6: 'Nellymoser',
  7: 'G.711',
  8: 'G.711',
  11: 'Speex',
};
const VIDEO_FOURCCS: Readonly<Record<string, VideoCodec>> = {
  avc1: 'h264',
  hvc1: 'hevc',
  av01: 'av1',
  vp09: 'vp9',
};
const AUDIO_FOURCCS: Readonly<Record<string, AudioCodec>> = {
  mp4a: 'aac',
  '.mp3': 'mp3',
  Opus: 'opus',
  fLaC: 'flac',
  'ac-3': 'ac3',
  'ec-3': 'eac3',
};

const FRAME_TYPE_KEY = 1;
const FRAME_TYPE_GENERATED_KEY = 4;
const FRAME_TYPE_COMMAND = 5;
const EX_HEADER_BYTES = 5;

function readVideo(message: RtmpMessage): MediaPacket {
  const first = message.payload[0]!;
  const frameType = (first >> 4) & 7;
  if (frameType === FRAME_TYPE_COMMAND) return NOTHING;
  const keyframe = frameType === FRAME_TYPE_KEY || frameType === FRAME_TYPE_GENERATED_KEY;
  return first & 0x80
    ? readEnhancedVideo(message, first & 15, keyframe)
    : readLegacyVideo(message, first & 15, keyframe);
}

/** Annex E.4.3. Codec 12 for HEVC is not in the specification; encoders sent it for years before E-RTMP. */
function readLegacyVideo(message: RtmpMessage, codecId: number, keyframe: boolean): MediaPacket {
  const codec = LEGACY_VIDEO[codecId];
  if (!codec)
    return unsupported(`video codec ${LEGACY_VIDEO_NAMES[codecId] ?? codecId}: send H.264, HEVC, AV1 or VP9`);
  need(message, 2);
  const packetType = message.payload[1]!;
  if (packetType > 1) return NOTHING;
  need(message, 5);
  const body = message.payload.subarray(5);
  if (packetType === 0) return { kind: 'videoConfig', codec, config: body };
  return videoFrame(message, codec, keyframe, signed24(message.payload, 2), body);
}

/** E-RTMP v2, "Enhanced video". */
function readEnhancedVideo(message: RtmpMessage, packetType: number, keyframe: boolean): MediaPacket {
  const metadata = 4;
  if (packetType === metadata) return NOTHING;
  if (packetType === 6) return unsupported('multitrack video: send one video track');
  if (packetType === 7) return unsupported('E-RTMP ModEx packets in the video');
  const fourCc = readFourCc(message);
  const codec = VIDEO_FOURCCS[fourCc];
  if (!codec) return unsupported(`video codec '${fourCc}': send H.264, HEVC, AV1 or VP9`);
  const body = message.payload.subarray(EX_HEADER_BYTES);
  switch (packetType) {
    case 0:
      return { kind: 'videoConfig', codec, config: body };
    case 1:
      return readCodedFrames(message, codec, keyframe);
    case 3:
      return videoFrame(message, codec, keyframe, 0, body);
    case 5:
      return unsupported(`'${fourCc}' video configured by an MPEG-2 TS descriptor`);
    default:
      return NOTHING;
  }
}

/** Only codecs whose frames are decoded in another order than shown carry a composition time. */
function readCodedFrames(message: RtmpMessage, codec: VideoCodec, keyframe: boolean): MediaPacket {
  const { payload } = message;
  if (codec === 'av1' || codec === 'vp9')
    return videoFrame(message, codec, keyframe, 0, payload.subarray(EX_HEADER_BYTES));
  need(message, EX_HEADER_BYTES + 3);
  const body = payload.subarray(EX_HEADER_BYTES + 3);
  return videoFrame(message, codec, keyframe, signed24(payload, EX_HEADER_BYTES), body);
}

function videoFrame(
  { timestampMs }: RtmpMessage,
  codec: VideoCodec,
  keyframe: boolean,
  compositionMs: number,
  data: Uint8Array,
): MediaPacket {
  return { kind: 'video', codec, timestampMs, compositionMs, keyframe, data };
}

const SOUND_FORMAT_EX_HEADER = 9;

/** Annex E.4.2. */
function readAudio(message: RtmpMessage): MediaPacket {
  const { timestampMs, payload } = message;
  const format = payload[0]! >> 4;
  if (format === SOUND_FORMAT_EX_HEADER) return readEnhancedAudio(message, payload[0]! & 15);
  const codec = LEGACY_AUDIO[format];
  if (!codec)
    return unsupported(
      `audio codec ${LEGACY_AUDIO_NAMES[format] ?? format}: send AAC, Opus, FLAC, AC-3 or MP3`,
    );
  if (codec === 'mp3') return { kind: 'audio', codec, timestampMs, data: payload.subarray(1) };
  need(message, 2);
  const data = payload.subarray(2);
  if (payload[1] === 0) return { kind: 'audioConfig', codec, config: data };
  return payload[1] === 1 ? { kind: 'audio', codec, timestampMs, data } : NOTHING;
}

/** E-RTMP v2, "Enhanced audio". */
function readEnhancedAudio(message: RtmpMessage, packetType: number): MediaPacket {
  if (packetType === 5) return unsupported('multitrack audio: send one audio track');
  if (packetType === 7) return unsupported('E-RTMP ModEx packets in the audio');
  const fourCc = readFourCc(message);
  const codec = AUDIO_FOURCCS[fourCc];
  if (!codec) return unsupported(`audio codec '${fourCc}': send AAC, Opus, FLAC, AC-3 or MP3`);
  const body = message.payload.subarray(EX_HEADER_BYTES);
  if (packetType === 0) return { kind: 'audioConfig', codec, config: body };
  if (packetType !== 1) return NOTHING;
  return { kind: 'audio', codec, timestampMs: message.timestampMs, data: body };
}

function readFourCc(message: RtmpMessage): string {
  need(message, EX_HEADER_BYTES);
  return fourCharacterCode(viewOf(message.payload), 1);
}

function unsupported(reason: string): MediaPacket {
  return { kind: 'unsupported', reason };
}

function need({ type, payload }: RtmpMessage, bytes: number): void {
  if (payload.length >= bytes) return;
  throw new CodedError('bad_tag', `${type} tag of ${payload.length} bytes where its header needs ${bytes}`);
}

function signed24(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8)) >> 8;
}
