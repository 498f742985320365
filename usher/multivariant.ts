// The multivariant playlist (RFC 8216bis 4.4.6): every rendition of a stream, once on each pathway. Pure.

import type { RenditionRecord } from '../network/state/state.ts';

/** One way to a stream: players keep to one, and go over to another when they are told to or when it fails. */
export interface Pathway {
  /** 4.4.6.2: letters, digits, `.`, `-` and `_`. */
  readonly id: string;
  /** Of the media playlist of a rendition. */
  readonly urlOf: (rendition: string) => string;
}

/** What a variant is on that names none. */
export const DEFAULT_PATHWAY = '.';

/** The best pathway first: players without Content Steering begin there, and read what follows as what to fall back on. */
export function multivariantPlaylist(
  renditions: readonly RenditionRecord[],
  pathways: readonly Pathway[],
  steeringUri?: string,
): string {
  const variants = pathways.flatMap((pathway) =>
    listed(renditions).map(
      (rendition) => `${streamInf(rendition, pathway)}\n${pathway.urlOf(rendition.name)}\n`,
    ),
  );
  const steering =
    steeringUri === undefined
      ? ''
      : `#EXT-X-CONTENT-STEERING:SERVER-URI="${steeringUri}",PATHWAY-ID="${pathways[0]!.id}"\n`;
  return `#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n${steering}${variants.join('')}`;
}

/**
 * EXT-X-INDEPENDENT-SEGMENTS (4.4.2.1) is not true of open GOPs, and browsers fail on them when they change to such a rendition:
 * it is left out where there is another one.
 */
function listed(renditions: readonly RenditionRecord[]): readonly RenditionRecord[] {
  const independent = renditions.filter(({ opensGops, height }) => !opensGops && height > 0);
  return independent.length > 0 ? renditions.filter(({ opensGops }) => !opensGops) : renditions;
}

/** A rendition's name is its stable id: the same at every server, so that a clone can give each variant its own address. */
function streamInf(rendition: RenditionRecord, { id }: Pathway): string {
  const attributes = [
    `BANDWIDTH=${rendition.peakBps}`,
    `AVERAGE-BANDWIDTH=${rendition.averageBps}`,
    `CODECS="${rendition.codecs}"`,
  ];
  if (rendition.height > 0) {
    attributes.push(`RESOLUTION=${rendition.width}x${rendition.height}`);
    attributes.push(`FRAME-RATE=${rendition.frameRate.toFixed(3)}`);
  }
  if (id !== DEFAULT_PATHWAY) attributes.push(`PATHWAY-ID="${id}"`);
  attributes.push(`STABLE-VARIANT-ID="${rendition.name}"`);
  return `#EXT-X-STREAM-INF:${attributes.join(',')}`;
}
