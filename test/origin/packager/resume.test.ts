import { describe, expect, test } from 'vitest';
import { Feed } from '../../../network/feed/feed.ts';
import { numberingAfter, numberingBeyond } from '../../../origin/packager/resume.ts';
import { readFlvFile } from '../../tools/flv-file.ts';
import { clip, sources } from '../../tools/media.ts';
import { epochsOf, expectSound, packageAll } from '../../tools/packaged.ts';

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

  test('lies beyond all that was announced when nobody has the feed any more', () => {
    const beyond = numberingBeyond({ epoch: 1_700_000_000, lastMsn: 41 });
    expect(beyond.msn).toBeGreaterThan(42);
    expect(beyond).toMatchObject({ epoch: 1_700_000_000, discontinuitySequence: 1 });
  });
});
