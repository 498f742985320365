import { expect, test } from 'vitest';
import { Egress } from '../../../network/egress/egress.ts';
import { Metrics } from '../../../network/metrics.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { waitFor } from '../../tools/world/wait.ts';

test('what is sent is measured over the last second, from everything that sends', async () => {
  const clock = new ManualClock();
  const metrics = new Metrics();
  const http = metrics.counter('headwater_http_sent_bytes_total', 'Of HTTP.', ['kind']);
  const progressive = metrics.counter('headwater_progressive_sent_bytes_total', 'Of progressive.');
  const relay = metrics.counter('headwater_relay_sent_bytes_total', 'Of the relay.');
  metrics.counter('headwater_ingest_bytes_total', 'Not sent.').inc(1e9);
  using egress = new Egress({ metrics, clock });
  expect(egress.mbps).toBe(0);

  http.inc({ kind: 'segment' }, 100_000);
  http.inc({ kind: 'part' }, 25_000);
  progressive.inc(250_000);
  relay.inc(125_000);
  clock.advance(1_000);
  await waitFor(() => expect(egress.mbps).toBe(4));

  relay.inc(50_000);
  clock.advance(1_000);
  await waitFor(() => expect(egress.mbps).toBe(0.4));
  clock.advance(1_000);
  await waitFor(() => expect(egress.mbps).toBe(0));
  egress[Symbol.dispose]();
  expect(clock.pending).toBe(0);
});
