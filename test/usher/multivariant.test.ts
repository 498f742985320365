// Which renditions a multivariant playlist lists.

import { expect, test } from 'vitest';
import type { RenditionRecord } from '../../network/state/state.ts';
import { multivariantPlaylist } from '../../usher/multivariant.ts';
import { SOURCE } from '../tools/cluster/clusters.ts';

const listed = (renditions: readonly RenditionRecord[]): string[] => {
  const text = multivariantPlaylist(renditions, [{ id: '.', urlOf: (name) => name }]);
  return [...text.matchAll(/STABLE-VARIANT-ID="([^"]+)"/g)].map(([, name]) => name!);
};

test('a rendition with open GOPs is listed only where there is no other picture', () => {
  const open = { ...SOURCE, opensGops: true } as const;
  const small = { ...SOURCE, name: '480p30', height: 480 };
  const audio = { ...SOURCE, name: 'audio', width: 0, height: 0, frameRate: 0 };
  expect(listed([SOURCE, small, audio])).toEqual(['source', '480p30', 'audio']);
  expect(listed([open, small, audio])).toEqual(['480p30', 'audio']);
  expect(listed([open, audio])).toEqual(['source', 'audio']);
  expect(listed([open])).toEqual(['source']);
});
