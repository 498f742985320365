// What ffmpeg is told, word for word.

import { describe, expect, test } from 'vitest';
import type { Rung } from '../../network/state/state.ts';
import { chooseEncoders, transcodeArgs } from '../../transcoder/ffmpeg-args.ts';

const PRESENT = new Set(['libx264', 'libx265', 'libsvtav1', 'h264_nvenc', 'aac']);
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
    const settings = { encoders: chooseEncoders(PRESENT, []), preset: 'veryfast' };
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
      +frag_every_frame+empty_moov+default_base_moof+frag_discont
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
      +frag_every_frame+empty_moov+default_base_moof+frag_discont
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
      +frag_every_frame+empty_moov+default_base_moof+frag_discont
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
    expect(chooseEncoders(PRESENT, ['h264_nvenc', 'hevc_nvenc'])).toEqual({
      h264: 'h264_nvenc',
      hevc: 'libx265',
      av1: 'libsvtav1',
    });
    expect(chooseEncoders(new Set(['libx264']), ['rm -rf /'])).toEqual({ h264: 'libx264' });
  });
});
