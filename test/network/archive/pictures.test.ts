import { describe, expect, test } from 'vitest';
import type { FileIndex, IndexLine, RecordedSegment } from '../../../network/archive/index-file.ts';
import { thumbnailsVtt, tilesOf } from '../../../network/archive/pictures.ts';
import { assemble } from '../../../network/archive/recording.ts';
import { previewAt, readPreviews } from '../../../usher/player/page/replay/previews.ts';

const S = 1_000_000;

function segment(msn: number, isIndependent = true): RecordedSegment {
  const startUs = 3600 * S + msn * S;
  const place = { at: msn * 100, bytes: 100, startUs, endUs: startUs + S, arrivedAtMs: msn * 1000 };
  return {
    kind: 'segment',
    msn,
    epoch: 1,
    discontinuitySequence: 0,
    ...place,
    isIndependent,
    crc: 0,
  };
}

const range = (from: number, to: number): RecordedSegment[] =>
  Array.from({ length: to - from }, (_, at) => segment(from + at));

function indexOf(segments: readonly RecordedSegment[]): FileIndex {
  const init = { kind: 'init', at: 0, bytes: 1, codecs: 'avc1', width: 4, height: 2, frameRate: 30 } as const;
  const lines: Exclude<IndexLine, { kind: 'file' }>[] = [init, ...segments];
  const header = {
    kind: 'file',
    format: 1,
    recording: 'alice.lx3k000',
    stream: 'alice',
    rendition: 'source',
    startedAtMs: 0,
  } as const;
  return { header, lines, wholeBytes: 0 };
}

describe('the tiles of a sprite', () => {
  test('are key frames two seconds apart, and of a long file a hundred', () => {
    expect(tilesOf(range(5, 10)).map(({ msn }) => msn)).toEqual([5, 7, 9]);
    const tiles = tilesOf(range(0, 600));
    expect(tiles).toHaveLength(100);
    expect(tiles[99]!.msn).toBe(594);
  });

  test('leave out what does not begin with a key frame', () => {
    const tiles = tilesOf([segment(0), segment(1), segment(2, false), segment(3), segment(4)]);
    expect(tiles.map(({ msn }) => msn)).toEqual([0, 3]);
    expect(tilesOf([])).toEqual([]);
  });
});

test('the cues of a recording are in the time in which it plays, over files, gaps, and files without a sprite', () => {
  const files = [
    { name: 'source.0000000000', index: indexOf(range(0, 24)) },
    { name: 'source.0000000030', index: indexOf(range(30, 33)) },
    { name: 'source.0000000033', index: indexOf(range(33, 37)) },
  ];
  const sprites = new Map([files[0]!, files[2]!].map(({ name, index }) => [name, index]));
  const text = thumbnailsVtt(assemble(files)!.renditions[0]!.segments, sprites);
  expect(
    text.startsWith(
      'WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nsource.0000000000.sprite.jpg#xywh=0,0,160,90\n',
    ),
  ).toBe(true);
  const previews = readPreviews(text, 'http://there/vod/t/alice/x/thumbnails.vtt');
  expect(previews).toHaveLength(12 + 2);
  expect(previewAt(previews, 21.5)).toEqual({
    fromS: 20,
    url: 'http://there/vod/t/alice/x/source.0000000000.sprite.jpg',
    x: 0,
    y: 90,
    width: 160,
    height: 90,
  });
  expect(previewAt(previews, 27)).toMatchObject({ fromS: 27, x: 0, y: 0 });
  expect(previewAt(previews, 99)).toMatchObject({ fromS: 29, x: 160 });
});

test('cues that make no sense are no previews', () => {
  const text = 'WEBVTT\n\nsoon\na.jpg#xywh=0,0,1,1\n\n00:00:01.000 --> 00:00:02.000\na.jpg\n';
  expect(readPreviews(text, 'http://there/')).toEqual([]);
  expect(previewAt([], 3)).toBeUndefined();
});
