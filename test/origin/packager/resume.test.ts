import { describe, expect, test } from 'vitest';
import { Feed } from '../../../network/feed/feed.ts';
import { numberingAfter, numberingBeyond } from '../../../origin/packager/resume.ts';
import { readFlvFile } from '../../tools/media/flv-file.ts';
import { clip, sources } from '../../tools/media/media.ts';
import { epochsOf, expectSound, packageAll } from '../../tools/media/packaged.ts';

const messages = readFlvFile(
  clip('flv', [...sources({ seconds: 2 }), '-c:v', 'libx264', '-g', '30', '-c:a', 'aac']),
);

/** A feed as another server holds it: all it knows is in the bytes. */
function feedOf(packaged: ReturnType<typeof packageAll>['packaged']): Feed {
  const feed = new Feed();
  for (const item of packaged) {
    if (item.kind === 'init') feed.begin(item.init);
    else feed.append(item.chunk);
  }
  return feed;
}

describe('the numbering of a feed that another server wrote', () => {
  test('goes on as its own origin’s would have', () => {
    const first = packageAll(messages);
    const numbering = numberingAfter(feedOf(first.packaged))!;
    expect(numbering).toEqual(first.numbering);
    const second = packageAll(messages, { numbering });
    expectSound([...first.packaged, ...second.packaged]);
  });

  test('goes on behind the last chunk that arrived, wherever its origin broke off', () => {
    const first = packageAll(messages);
    for (const kept of [20, 57, 100]) {
      const packaged = first.packaged.slice(0, kept);
      const numbering = numberingAfter(feedOf(packaged))!;
      const second = packageAll(messages, { numbering });
      expect(epochsOf([...packaged, ...second.packaged])).toHaveLength(2);
      const [last, next] = [packaged.at(-1)!, second.packaged[1]!];
      if (last.kind !== 'chunk' || next.kind !== 'chunk') throw new Error('chunks were expected');
      expect(next.chunk).toMatchObject({
        sequence: last.chunk.sequence + 1,
        msn: last.chunk.msn + 1,
        startsEpoch: true,
        discontinuitySequence: 1,
      });
      expect(next.chunk.epoch).toBeGreaterThan(last.chunk.epoch);
    }
  });

  test('is unknown while the feed has no chunk', () => {
    expect(numberingAfter(new Feed())).toBeUndefined();
  });

  test('goes on as it was announced when nobody has the feed any more, and nothing was made since', () => {
    const first = packageAll(messages);
    const numbering = numberingBeyond({ numbering: first.numbering, unheardMs: 0, isOver: false });
    expectSound([...first.packaged, ...packageAll(messages, { numbering }).packaged]);
  });

  test('goes on in numbers alone for another broadcast', () => {
    const { numbering } = packageAll(messages);
    const { tracks: _, ...rest } = numbering;
    expect(numberingBeyond({ numbering, unheardMs: 0, isOver: true })).toEqual({
      ...rest,
      targetDurationS: 0,
    });
  });

  test('goes on beyond all that can have been made since it was announced', () => {
    // Key frames as close as segments can be.
    const dense = packageAll(
      readFlvFile(clip('flv', [...sources({ seconds: 3 }), '-c:v', 'libx264', '-g', '15'])),
    );
    const chunks = dense.packaged.flatMap((item) => (item.kind === 'chunk' ? [item.chunk] : []));
    const announced = 40;
    const numbering = numberingAfter(feedOf(dense.packaged.slice(0, announced)))!;
    const unheardMs = (dense.numbering.endTicks - numbering.endTicks) / 90;
    const beyond = numberingBeyond({ numbering, unheardMs, isOver: false });
    expect(beyond.msn).toBeGreaterThan(chunks.at(-1)!.msn);
    expect(beyond.msn).toBeLessThan(chunks.at(-1)!.msn + 4);
    expect(beyond.sequence).toBeGreaterThan(chunks.at(-1)!.sequence);
    expect(beyond.endTicks).toBeGreaterThanOrEqual(dense.numbering.endTicks);
    const { epoch, discontinuitySequence, targetDurationS, tracks } = numbering;
    expect(beyond).toMatchObject({ epoch, discontinuitySequence, targetDurationS, tracks });
  });
});
