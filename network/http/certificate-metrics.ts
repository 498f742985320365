// When the certificates of this process end, for operators who would rather not hear it from viewers.

import { certificateEndMs } from '../hash.ts';
import type { Metrics } from '../metrics.ts';
import type { Identity } from './identity.ts';

export type Identities = Readonly<Record<'public' | 'relay', Pick<Identity, 'credentials'> | undefined>>;

export function describeCertificates(metrics: Metrics, identities: Identities): void {
  metrics.gauge(
    'headwater_tls_certificate_end_timestamp_seconds',
    'When the certificate ends that viewers and broadcasters, or other servers, are shown: Unix time.',
    ['kind'],
    (gauge) => {
      for (const [kind, identity] of Object.entries(identities))
        if (identity) gauge.set({ kind }, certificateEndMs(identity.credentials.cert) / 1000);
    },
  );
}
