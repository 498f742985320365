// What ffmpeg is told, word for word.

import { describe, expect, test } from 'vitest';
import type { Rung } from '../../../network/state/state.ts';
import {
  candidatesOf,
  chooseEncoders,
  type Encoder,
  type Encoders,
} from '../../../transcoder/ffmpeg/encoders.ts';
import { probeArgs, transcodeArgs } from '../../../transcoder/ffmpeg/ffmpeg-args.ts';

const PRESENT = new Set(['libx264', 'libx265', 'libsvtav1', 'libaom-av1', 'h264_nvenc', 'aac']);
const IN_SOFTWARE = ['libx264', 'libx265', 'libaom-av1', 'libsvtav1'] as const;
const ON_CARDS = ['h264_nvenc', 'hevc_nvenc', 'h264_vaapi', 'hevc_vaapi'] as const;
const chosen = (present: ReadonlySet<string>, wished: readonly string[]): Encoders =>
  chooseEncoders(candidatesOf(present, wished));
const RUNG: Rung = {
  name: '720p60',
  codec: 'h264',
  width: 1280,
  height: 720,
  maxFrameRate: 60,
  videoKbps: 4000,
};
const LOW: Rung = {
  name: '160p30',
  codec: 'h264',
  width: 284,
  height: 160,
  maxFrameRate: 30,
  videoKbps: 170,
};

describe('ffmpeg', () => {
  test('is told of two rungs, one with half of the frames and behind what is there, and of sound to be made AAC', () => {
    const outputs = [
      { rung: RUNG, sourceFrameRate: 60, afterTicks: undefined },
      { rung: LOW, sourceFrameRate: 60, afterTicks: 900_000 },
    ];
    const settings = { encoders: chosen(PRESENT, []), preset: 'veryfast' };
    expect(transcodeArgs(outputs, true, settings).join('\n')).toMatchInlineSnapshot(`
      "-hide_banner
      -nostdin
      -nostats
      -loglevel
      error
      -max_alloc
      268435456
      -probesize
      32
      -analyzeduration
      0
      -thread_type
      slice
      -copyts
      -f
      mp4
      -i
      pipe:0
      -map
      0:v
      -an
      -fps_mode
      passthrough
      -vf
      scale=1280:720,setsar=1,format=yuv420p
      -c:v
      libx264
      -preset
      veryfast
      -tune
      zerolatency
      -bf
      0
      -sc_threshold
      0
      -profile:v
      high
      -threads
      2
      -b:v
      4000k
      -maxrate
      4000k
      -bufsize
      4000k
      -force_key_frames
      source
      -g
      9999
      -enc_time_base
      1:90000
      -video_track_timescale
      90000
      -movflags
      +empty_moov+default_base_moof+frag_discont
      -frag_duration
      100000
      -avoid_negative_ts
      disabled
      -flush_packets
      1
      -f
      mp4
      pipe:3
      -map
      0:v
      -an
      -fps_mode
      passthrough
      -vf
      select=gt(pts\\,900000)*(key+isnan(prev_selected_t)+gte(t-prev_selected_t\\,0.03167)),scale=284:160,setsar=1,format=yuv420p
      -c:v
      libx264
      -preset
      veryfast
      -tune
      zerolatency
      -bf
      0
      -sc_threshold
      0
      -profile:v
      high
      -threads
      1
      -b:v
      170k
      -maxrate
      170k
      -bufsize
      170k
      -force_key_frames
      source
      -g
      9999
      -enc_time_base
      1:90000
      -video_track_timescale
      90000
      -movflags
      +empty_moov+default_base_moof+frag_discont
      -frag_duration
      100000
      -avoid_negative_ts
      disabled
      -flush_packets
      1
      -f
      mp4
      pipe:4
      -map
      0:a
      -vn
      -c:a
      aac
      -b:a
      128k
      -ac
      2
      -movflags
      +empty_moov+default_base_moof+frag_discont
      -frag_duration
      100000
      -avoid_negative_ts
      disabled
      -flush_packets
      1
      -f
      mp4
      pipe:5"
    `);
  });

  test('is told of an encoder on a card where that is wished for and there, and else of the one in software', () => {
    expect(chosen(PRESENT, ['h264_nvenc', 'hevc_nvenc'])).toEqual({
      h264: 'h264_nvenc',
      hevc: 'libx265',
      av1: 'libaom-av1',
    });
    expect(chosen(new Set(['libx264']), ['rm -rf /', 'toString'])).toEqual({ h264: 'libx264' });
    expect(chosen(PRESENT, ['libsvtav1'])).toMatchObject({ av1: 'libsvtav1' });
  });

  test('is told by each encoder to force key frames and to hold nothing back, as far as that one can', () => {
    const told = (encoder: Encoder): string => {
      const args = probeArgs(encoder);
      const [device, from, to] = ['-vaapi_device', '-vf', '-maxrate'].map((each) => args.indexOf(each));
      return [...(device! < 0 ? [] : args.slice(device, device! + 2)), ...args.slice(from, to)].join(' ');
    };
    expect([...IN_SOFTWARE, ...ON_CARDS].map(told)).toMatchInlineSnapshot(`
      [
        "-vf scale=320:180,setsar=1,format=yuv420p -c:v libx264 -preset ultrafast -tune zerolatency -bf 0 -sc_threshold 0 -profile:v high -threads 1 -b:v 200k",
        "-vf scale=320:180,setsar=1,format=yuv420p -c:v libx265 -preset ultrafast -tune zerolatency -bf 0 -forced-idr 1 -tag:v hvc1 -x265-params scenecut=0:open-gop=0:repeat-headers=0:log-level=error -threads 1 -b:v 200k",
        "-vf scale=320:180,setsar=1,format=yuv420p -c:v libaom-av1 -usage realtime -cpu-used 8 -lag-in-frames 0 -row-mt 1 -threads 1 -b:v 200k",
        "-vf scale=320:180,setsar=1,format=yuv420p -c:v libsvtav1 -preset 10 -crf 35 -svtav1-params enable-force-key-frames=1:scd=0:lookahead=0:hierarchical-levels=3:enable-tf=0 -threads 1",
        "-vf scale=320:180,setsar=1,format=yuv420p -c:v h264_nvenc -tune ull -zerolatency 1 -bf 0 -no-scenecut 1 -forced-idr 1 -threads 1 -b:v 200k",
        "-vf scale=320:180,setsar=1,format=yuv420p -c:v hevc_nvenc -tune ull -zerolatency 1 -bf 0 -forced-idr 1 -tag:v hvc1 -threads 1 -b:v 200k",
        "-vaapi_device /dev/dri/renderD128 -vf scale=320:180,setsar=1,format=nv12,hwupload -c:v h264_vaapi -bf 0 -threads 1 -b:v 200k",
        "-vaapi_device /dev/dri/renderD128 -vf scale=320:180,setsar=1,format=nv12,hwupload -c:v hevc_vaapi -bf 0 -tag:v hvc1 -threads 1 -b:v 200k",
      ]
    `);
  });
});
