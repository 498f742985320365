import { describe, expect, test } from 'vitest';
import { type SteeringOptions, steeringList } from '../../../usher/steering/steering-list.ts';

const pathway = (id: string) => ({
  id,
  urlOf: (rendition: string) => `https://${id}.example/play/token/alice/${rendition}/index.m3u8`,
});

const list = (changes: Partial<SteeringOptions>) =>
  steeringList({
    ttlS: 10,
    pathways: [],
    declared: ['a', 'b'],
    renditions: ['source', '480p30'],
    ...changes,
  });

describe('a steering list', () => {
  test('is that of steering-list.json', async () => {
    const full = list({
      pathways: ['c', 'a'].map(pathway),
      reloadUri: '/steer/token/alice?pathways=a,b',
    });
    const text = `${JSON.stringify(full, undefined, 2)}\n`;
    await expect(text).toMatchFileSnapshot('../../golden/steering-list.json');
  });

  test('has two pathways whenever the player knows two', () => {
    expect(list({ pathways: [pathway('b')] })['PATHWAY-PRIORITY']).toEqual(['b', 'a']);
    expect(list({ pathways: [pathway('c')] })['PATHWAY-PRIORITY']).toEqual(['c', 'a', 'b']);
    expect(list({})['PATHWAY-PRIORITY']).toEqual(['a', 'b']);
    expect(list({ declared: ['a'], pathways: [pathway('a')] })['PATHWAY-PRIORITY']).toEqual(['a']);
  });

  test('has no clones of what was declared, nor without anything to clone', () => {
    expect(list({ pathways: ['a', 'b'].map(pathway) })).not.toHaveProperty('PATHWAY-CLONES');
    expect(list({ declared: [], pathways: [pathway('c')] })).not.toHaveProperty('PATHWAY-CLONES');
  });
});
