import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeCertificates } from '../../../network/http/certificate-metrics.ts';
import { Metrics } from '../../../network/metrics.ts';
import { makeCertificate } from '../../tools/world/certificate.ts';

test('when a certificate ends is told, as openssl made it: in two days', async () => {
  const { certFile, keyFile } = makeCertificate('live.example');
  const credentials = {
    cert: readFileSync(certFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
    ownAuthorities: undefined,
  };
  const metrics = new Metrics();
  describeCertificates(metrics, { public: { credentials }, relay: undefined });
  const lines = (await metrics.text()).trim().split('\n').slice(2);
  expect(lines).toHaveLength(1);
  const [, endS] = /^headwater_tls_certificate_end_timestamp_seconds\{kind="public"\} (\d+)$/.exec(
    lines[0]!,
  )!;
  const days = (Number(endS) - Date.now() / 1000) / 86_400;
  expect(Math.abs(days - 2)).toBeLessThan(0.1);
});
