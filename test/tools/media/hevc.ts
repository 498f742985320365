// A broadcast in HEVC, which ffmpeg 5.1 can't push over Enhanced RTMP: tags are made of what it encodes.

import type { RtmpMessage } from '../../../origin/media.ts';
import { enhancedVideo, readFlvFile } from './flv-file.ts';
import { clip, picture, tone } from './media.ts';
import { configOf, readMp4File } from './mp4-file.ts';

/** A picture in HEVC and a sound in AAC, by default the test picture and tone, with a key frame each second. */
export function hevcMessages(
  seconds: number,
  { shown = picture({ seconds }), heard = tone({ seconds }) } = {},
): RtmpMessage[] {
  const hevc = ['-c:v', 'libx265', '-preset', 'ultrafast', '-b:v', '300k', '-tag:v', 'hvc1'];
  const keys = ['-x265-params', 'keyint=30:min-keyint=30:scenecut=0:log-level=error'];
  const mp4 = clip('mp4', [...shown, ...hevc, ...keys]);
  const audio = readFlvFile(clip('flv', [...heard, '-c:a', 'aac', '-f', 'flv'])).filter(
    ({ type }) => type === 'audio',
  );
  const [track] = readMp4File(mp4);
  const start = {
    fourCc: 'hvc1',
    packetType: 0,
    timestampMs: 0,
    keyframe: true,
    data: configOf(mp4, 'hvcC'),
  };
  const frames = track!.samples.map((sample) =>
    enhancedVideo({
      fourCc: 'hvc1',
      packetType: 1,
      timestampMs: Math.round((sample.decodeTime * 1000) / track!.timescale),
      compositionMs: Math.round(((sample.compositionTime - sample.decodeTime) * 1000) / track!.timescale),
      keyframe: sample.keyframe,
      data: sample.data,
    }),
  );
  const inOrder = (one: RtmpMessage, other: RtmpMessage): number => one.timestampMs - other.timestampMs;
  return [enhancedVideo(start), ...[...frames, ...audio].sort(inOrder)];
}
