import { describe, expect, test } from 'vitest';
import { alignedTo } from '../../../edge/vod/aligned.ts';
import { vodPlaylist } from '../../../edge/vod/vod-playlist.ts';
import type { RecordedInit } from '../../../network/archive/index-file.ts';
import type { PlacedSegment, RecordedRendition, Recording } from '../../../network/archive/recording.ts';

const S = 1_000_000;

function rendition(name: string, codecs: string, msns: readonly number[], epoch = 7): RecordedRendition {
  const init: RecordedInit = { kind: 'init', at: 0, bytes: 9, codecs, width: 4, height: 2, frameRate: 30 };
  const segments = msns.map(
    (msn): PlacedSegment => ({
      kind: 'segment',
      msn,
      epoch: epoch + Number(msn >= 100),
      discontinuitySequence: 0,
      at: 9 + msn * 10,
      bytes: 10,
      startUs: msn * S,
      endUs: (msn + 1) * S,
      arrivedAtMs: msn * 1000,
      isIndependent: true,
      crc: 0,
      file: `${name}.0000000000`,
      init,
    }),
  );
  return { name, segments, gaps: [], durationUs: msns.length * S, bytes: 0, peakBps: 0, averageBps: 0 };
}

const recordingOf = (...renditions: RecordedRendition[]): Recording => ({
  id: 'alice.lx3k000',
  stream: 'alice',
  startedAtMs: 0,
  endedAtMs: undefined,
  clipOf: undefined,
  renditions,
});

const from = (first: number, behind: number): number[] =>
  Array.from({ length: behind - first }, (_, at) => first + at);

/** For each segment, whose it is: `s` of the source, `r` of the rendition; in capitals after a cut; `-` for a gap. */
function shown(recording: Recording, own: RecordedRendition, hasEnded = true): string {
  return alignedTo(recording, own, hasEnded)
    .map(({ segment, isCut, isGap }) => {
      const letter = isGap ? '-' : segment.file.startsWith('source') ? 's' : 'r';
      return isCut ? letter.toUpperCase() : letter;
    })
    .join('');
}

const SOURCE = rendition('source', 'avc1.64001f,mp4a.40.2', [...from(0, 5), ...from(100, 103)]);

describe('a rendition that was recorded', () => {
  test('has a segment for each of the source: the source stands in where the rendition was not made', () => {
    const rung = rendition('90p30', 'avc1.42c00b,mp4a.40.2', [2, 3, 101], 50);
    expect(shown(recordingOf(rung, SOURCE), rung)).toBe('SsrrsSrs');
    expect(shown(recordingOf(rung, SOURCE), SOURCE)).toBe('SssssSss');
  });

  test('has a gap where the source can not stand in, because a player of it would not play that', () => {
    const audio = rendition('audio', 'mp4a.40.2', [1, 2]);
    expect(shown(recordingOf(audio, SOURCE), audio)).toBe('-rr--'.padEnd(8, '-'));
    const hevc = rendition('source', 'hvc1.1.6.L93.B0,mp4a.40.2', from(0, 3));
    const rung = rendition('90p30', 'avc1.42c00b,mp4a.40.2', [1]);
    const playlist = vodPlaylist(alignedTo(recordingOf(hevc, rung), rung, true), true);
    expect(playlist.match(/#EXT-X-GAP\n#EXTINF:1.00000,/g)).toHaveLength(2);
  });

  test('changes its init and nothing else where the source stands in, so that discontinuities are the same in all renditions', () => {
    const rung = rendition('90p30', 'avc1.42c00b,mp4a.40.2', [2, 3, 101]);
    const recording = recordingOf(rung, SOURCE);
    const [own, main] = [rung, SOURCE].map((each) => vodPlaylist(alignedTo(recording, each, true), true));
    const count = (text: string | undefined, tag: string): number => text!.split(`#EXT-X-${tag}`).length - 1;
    expect([count(main, 'DISCONTINUITY'), count(main, 'MAP')]).toEqual([1, 2]);
    expect([count(own, 'DISCONTINUITY'), count(own, 'MAP')]).toEqual([1, 6]);
  });

  test('waits, while it grows, for what may still come, and lists nothing that it would have to take back', () => {
    const rung = rendition('90p30', 'avc1.42c00b,mp4a.40.2', from(0, 4));
    const growing = (segments: number): string =>
      shown(recordingOf(rung, rendition('source', 'avc1.64001f,mp4a.40.2', from(0, segments))), rung, false);
    expect(growing(6)).toBe('Rrrr');
    expect(growing(34)).toBe('Rrrr');
    expect(growing(36)).toBe('Rrrrss');
    const listed = from(4, 80).map(growing);
    for (const [at, next] of listed.slice(1).entries()) expect(next.startsWith(listed[at]!)).toBe(true);
  });
});
