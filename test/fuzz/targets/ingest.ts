// Fuzzed: the media that broadcasters send, up to chunks of the feed.

import { FIRST_NUMBERING } from '../../../network/feed/numbering.ts';
import { readMetadata } from '../../../origin/flv/amf.ts';
import { readTag } from '../../../origin/flv/flv.ts';
import { readFlvTags } from '../../../origin/flv/flv-file.ts';
import type { AudioCodec, VideoCodec } from '../../../origin/media.ts';
import { readAudioFormat } from '../../../origin/packager/codec/audio-format.ts';
import { readVideoFormat } from '../../../origin/packager/codec/video-format.ts';
import { Packager } from '../../../origin/packager/packager.ts';
import { writeFlvFile } from '../../tools/media/flv-file.ts';
import { amf0 } from '../../tools/rtmp/rtmp-bytes.ts';
import { AUDIO, audioTags, BROADCAST, oddTags, typed, VIDEO, videoTags } from '../samples.ts';
import type { Target } from '../target.ts';

const EPOCH_MS = 1_795_213_440_000;
/** What ffmpeg and OBS write to files is what they send, tag by tag. */
export const flv: Target = {
  name: 'flv',
  reads: 'FLV tags, up to the chunks that are packaged of them',
  seeds: () => [
    writeFlvFile(BROADCAST),
    writeFlvFile([...videoTags('hevc'), ...audioTags('opus')]),
    writeFlvFile([...videoTags('av1'), ...audioTags('eac3')]),
    writeFlvFile([...videoTags('vp9'), ...audioTags('flac')]),
    writeFlvFile([...audioTags('mp3'), ...videoTags('h264')]),
    ...oddTags().map((tag) => writeFlvFile([...audioTags('ac3'), tag])),
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
    SAMPLES.flatMap(([, { config, frame }], index) =>
      [config, frame].map((bytes) => Buffer.concat([Uint8Array.of(index), bytes])),
    ),
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
    const [codec] = SAMPLES[first % SAMPLES.length]!;
    if (isVideo(codec)) readVideoFormat({ codec, config }, config);
    else readAudioFormat(codec, config).samplesIn(config);
  },
};

const SAMPLES = [...typed(VIDEO), ...typed(AUDIO)];

function isVideo(codec: VideoCodec | AudioCodec): codec is VideoCodec {
  return codec in VIDEO;
}
