// Reads a multivariant playlist as a player does, as far as tests ask.

export interface Multivariant {
  readonly steering: { readonly uri: string; readonly pathway: string };
  readonly variants: readonly { readonly id: string; readonly pathway: string; readonly url: string }[];
}

export function readMultivariant(text: string): Multivariant {
  const steering = /^#EXT-X-CONTENT-STEERING:SERVER-URI="([^"]+)",PATHWAY-ID="([^"]+)"$/m.exec(text)!;
  const variants = [...text.matchAll(/^#EXT-X-STREAM-INF:(.*)\n(.*)$/gm)].map(([, attributes, url]) => ({
    id: attribute(attributes!, 'STABLE-VARIANT-ID'),
    pathway: attribute(attributes!, 'PATHWAY-ID'),
    url: url!,
  }));
  return { steering: { uri: steering[1]!, pathway: steering[2]! }, variants };
}

function attribute(attributes: string, name: string): string {
  return new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(attributes)![1]!;
}
