import { expect, test } from 'vitest';
import { pushLines, watchLines } from '../../usher/player/page/lines.ts';

test('the lines to push say server and key as OBS wants them, and the whole URL as ffmpeg does', () => {
  const lines = pushLines('rtmp://relay.example:1936/live', 'alice');
  expect(lines.obsServer?.text).toBe('rtmp://relay.example:1936/live');
  expect(lines.obsKey?.text).toBe('alice');
  for (const line of [lines.ffmpegTest, lines.ffmpegFile])
    expect(line?.text).toMatch(/^ffmpeg -re .* -f flv rtmp:\/\/relay\.example:1936\/live\/alice$/);
});

test('the lines to watch are addresses of the usher that served the page', () => {
  const lines = watchLines('https://tv.example', 'alice');
  expect(lines.page).toEqual({ text: 'https://tv.example/watch/alice', isLink: true });
  expect(lines.embed?.text).toBe(
    '<iframe src="https://tv.example/embed/alice" title="alice, live" width="640" height="360" style="border:0" ' +
      'allow="autoplay; fullscreen; picture-in-picture" loading="lazy"></iframe>',
  );
  expect(lines.hls?.text).toBe('https://tv.example/live/alice.m3u8');
  expect(lines.progressive?.text).toBe('https://tv.example/live/alice.mp4');
  expect(lines.ffprobe?.text).toBe('curl -sL https://tv.example/live/alice.mp4 | ffprobe -');
});
