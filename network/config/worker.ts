// The configuration of one of several servers of a machine, which the machine's configuration stands for. Pure.

import type { Config } from './schema/schema.ts';

/** Of several processes that run the same configuration, beginning with 1. */
export interface Place {
  readonly number: number;
  readonly of: number;
}

const PLACE = /^([1-9]\d{0,3})\/([1-9]\d{0,3})$/;

/** `2/4`: the second of four. */
export function readPlace(text: string): Place | undefined {
  const [, number, of] = PLACE.exec(text) ?? [];
  return number && of ? { number: Number(number), of: Number(of) } : undefined;
}

export function writePlace({ number, of }: Place): string {
  return `${number}/${of}`;
}

/**
 * A server of its own: with a share of what the machine may send, and beyond the first with a name, ports and folders of its own.
 * The first keeps what the only one had, so that a machine can be given more cores, or fewer, and has its recordings.
 */
export function configOf(config: Config, { number, of }: Place): Config {
  const { archive, relayTls, tls, roles } = config;
  const shared = { ...config, cores: 1, egressMbps: config.egressMbps / of };
  if (number === 1) return shared;
  const after = number - 1;
  const portAfter = (port: number): number => (port === 0 ? 0 : port + after);
  const own = (folder: string): string => `${folder.replace(/\/$/, '')}/server-${number}`;
  return {
    ...shared,
    ...(config.id && { id: `${config.id}-${number}` }),
    // An encoder takes all cores by itself: the first has those of the machine.
    ...(roles.length > 1 && { roles: roles.filter((role) => role !== 'transcoder') }),
    rtmpPort: portAfter(config.rtmpPort),
    mediaPort: portAfter(config.mediaPort),
    ...urlsAfter(config, after),
    ...(tls && { tls: { ...tls, ...(tls.rtmpsPort && { rtmpsPort: portAfter(tls.rtmpsPort) }) } }),
    ...(relayTls && { relayTls: { ...relayTls, port: portAfter(relayTls.port) } }),
    data: own(config.data),
    archive: { ...archive, folders: archive.folders.map(own) },
  };
}

const USUAL_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443, 'rtmp:': 1935 };

function urlsAfter({ mediaUrl, relayUrl, rtmpUrl }: Config, after: number): Partial<Config> {
  const next = (given: string): string => {
    const url = new URL(given);
    url.port = String(Number(url.port || USUAL_PORTS[url.protocol]) + after);
    return given.endsWith('/') ? url.href : url.href.replace(/\/$/, '');
  };
  return {
    ...(mediaUrl && { mediaUrl: next(mediaUrl) }),
    ...(relayUrl && { relayUrl: next(relayUrl) }),
    ...(rtmpUrl && { rtmpUrl: next(rtmpUrl) }),
  };
}
