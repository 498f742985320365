import { describe, expect, test } from 'vitest';
import { layOut, type TreeNode } from '../../../../usher/console/page/tree/layout.ts';

function nodes(...pairs: readonly (readonly [id: string, parent: string | null])[]): TreeNode[] {
  return pairs.map(([id, parent]) => ({ id, parent }));
}

describe('a tree', () => {
  test('has a column for each depth, leaves below each other, and parents beside the middle of their children', () => {
    const { places, rows, columns } = layOut(
      nodes(['origin', null], ['b', 'origin'], ['a', 'origin'], ['a1', 'a'], ['a2', 'a'], ['a10', 'a']),
    );
    expect(Object.fromEntries(places)).toEqual({
      origin: { depth: 0, row: 2 },
      a: { depth: 1, row: 1 },
      a1: { depth: 2, row: 0 },
      a2: { depth: 2, row: 1 },
      a10: { depth: 2, row: 2 },
      b: { depth: 1, row: 3 },
    });
    expect([rows, columns]).toEqual([4, 3]);
  });

  test('that has lost a parent, or runs in a circle while parents change, still has a place for each', () => {
    const { places } = layOut(nodes(['lone', 'gone'], ['one', 'two'], ['two', 'one'], ['self', 'self']));
    expect(Object.fromEntries(places)).toEqual({
      lone: { depth: 0, row: 0 },
      one: { depth: 0, row: 1 },
      two: { depth: 1, row: 1 },
      self: { depth: 0, row: 2 },
    });
  });

  test('without servers is empty', () => {
    expect(layOut([])).toEqual({ places: new Map(), rows: 0, columns: 0 });
  });
});
