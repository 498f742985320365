// The multivariant playlist (RFC 8216bis 4.4.6): every rendition of a stream at the server chosen for a viewer. Pure.

import type { RenditionRecord } from '../network/state/state.ts';

/** `urlOf` gives the media playlist of a rendition. */
export function multivariantPlaylist(
  renditions: readonly RenditionRecord[],
  urlOf: (rendition: string) => string,
): string {
  const variants = renditions.map((rendition) => `${streamInf(rendition)}\n${urlOf(rendition.name)}\n`);
  return `#EXTM3U\n#EXT-X-VERSION:9\n${variants.join('')}`;
}

function streamInf(rendition: RenditionRecord): string {
  const attributes = [
    `BANDWIDTH=${rendition.peakBps}`,
    `AVERAGE-BANDWIDTH=${rendition.averageBps}`,
    `CODECS="${rendition.codecs}"`,
  ];
  if (rendition.height > 0) {
    attributes.push(`RESOLUTION=${rendition.width}x${rendition.height}`);
    attributes.push(`FRAME-RATE=${rendition.frameRate.toFixed(3)}`);
  }
  return `#EXT-X-STREAM-INF:${attributes.join(',')}`;
}
