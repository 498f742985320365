// Renditions of one stream beside each other on one server.

import { expect, test } from 'vitest';
import { Renditions } from '../../../edge/hls/renditions.ts';
import { Feeds } from '../../../network/feed/feeds.ts';
import { Metrics } from '../../../network/metrics.ts';
import { Broadcaster } from '../../tools/media/feed.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

test('each playlist says how far the others have come, of those that are here and go on', () => {
  const feeds = new Feeds();
  const renditions = new Renditions({ feeds, clock: new ManualClock(), metrics: new Metrics() });
  const broadcasters = new Map(
    ['source', '480p30', '160p30', 'new'].map((name) => [name, new Broadcaster({}, feeds.create())]),
  );
  for (const [name, { feed }] of broadcasters) feeds.put('alice', name, feed, 'replaced');
  feeds.put('bob', 'source', new Broadcaster({}, feeds.create()).play(3).feed, 'replaced');
  broadcasters.get('480p30')!.play(5);
  broadcasters.get('160p30')!.play(3.5).end();
  broadcasters.get('new')!.play(0.5);
  broadcasters.get('source')!.play(5.5);
  const text = Buffer.from(renditions.get('alice', 'source')!.playlist(false, false).views[0]!).toString();
  expect(text.match(/^#EXT-X-RENDITION-REPORT.*$/gm)).toEqual([
    '#EXT-X-RENDITION-REPORT:URI="../480p30/index.m3u8",LAST-MSN=4,LAST-PART=3',
  ]);
  const beside = Buffer.from(renditions.get('alice', '480p30')!.playlist(false, false).views[0]!).toString();
  expect(beside).toContain('#EXT-X-RENDITION-REPORT:URI="../source/index.m3u8",LAST-MSN=5,LAST-PART=1\n');
});
