import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, expect, test } from 'vitest';
import { LiveBroadcast, Reader, RelayServer, until, untilAt } from '../../tools/cluster/relay.ts';
import { makeCertificate } from '../../tools/world/certificate.ts';
import { TlsTerminator } from '../../tools/world/tls-terminator.ts';

const authorities = getCACertificates();
afterAll(() => setDefaultCACertificates(authorities));

test('a server is followed through TLS once the authority of its certificate is believed', async () => {
  const certificate = makeCertificate('origin.example');
  await using origin = await RelayServer.start('o');
  await using terminator = await TlsTerminator.before(origin.port, certificate);
  await using child = await RelayServer.start('child');
  using live = new LiveBroadcast(origin);
  child.follow({ id: 'o', relayUrl: terminator.url });
  const refusal = await until('the authority is not believed', () =>
    child.lines.find(({ fields }) => fields.code === 'relay_broken'),
  );
  expect(refusal.fields.reason).toMatch(/self-signed certificate/);
  // As NODE_EXTRA_CA_CERTS does for a whole process.
  setDefaultCACertificates([...authorities, readFileSync(certificate.certFile, 'utf8')]);
  const reader = new Reader(await untilAt(child, live.feed.next));
  await untilAt(child, live.feed.next + 30);
  expect(reader.faults).toBe(0);
  await child.kill();
});
