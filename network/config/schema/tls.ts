// What the configuration says of TLS: certificates for viewers and broadcasters, and those by which servers know each other.

import { z } from '../yaml.ts';
import { file, port } from './values.ts';

const certFile = file.meta({
  description: 'PEM: the certificate, and behind it those of the authorities that vouch for it.',
  example: '/etc/headwater/tls/cert.pem',
});
const keyFile = file.meta({ description: 'PEM: its key.', example: '/etc/headwater/tls/key.pem' });

export const tls = z
  .strictObject({
    certFile,
    keyFile,
    rtmpsPort: port.optional().meta({
      description: 'Where broadcasters may push over TLS (RTMPS), beside `rtmpPort`.',
      example: 1936,
    }),
  })
  .optional()
  .meta({
    description:
      'With it, usher and media speak HTTPS: HTTP/1.1 and HTTP/2. Files that are replaced are read again; nobody is disconnected.',
  });

export const relayTls = z
  .strictObject({
    port: port.default(8443).describe('Where other servers follow feeds; `mediaPort` is for players alone.'),
    certFile: certFile.meta({ ...certFile.meta(), example: '/etc/headwater/tls/relay-cert.pem' }),
    keyFile: keyFile.meta({ ...keyFile.meta(), example: '/etc/headwater/tls/relay-key.pem' }),
    caFile: file.meta({
      description: 'PEM: whoever shows a certificate of these authorities is a server of the cluster.',
      example: '/etc/headwater/tls/cluster-ca.pem',
    }),
  })
  .optional()
  .meta({ description: 'With it, servers speak mutual TLS with each other.' });
