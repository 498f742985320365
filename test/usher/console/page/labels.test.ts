import { expect, test } from 'vitest';
import { placeLabels } from '../../../../usher/console/page/map/labels.ts';

const label = (x: number, y: number) => ({ at: { x, y }, radius: 10, width: 60, height: 30 });

test('labels stand to the right where there is room, else left, below or above, and never on each other or another dot', () => {
  expect(placeLabels([label(100, 100)], 400, 300)).toEqual(['right']);
  expect(placeLabels([label(380, 100)], 400, 300)).toEqual(['left']);
  expect(placeLabels([label(100, 100), label(150, 100)], 400, 300)).toEqual(['left', 'right']);
  expect(placeLabels([label(40, 100)], 100, 300)).toEqual(['below']);
  expect(placeLabels([label(40, 280)], 100, 300)).toEqual(['above']);
});

test('a label without room is not there', () => {
  expect(placeLabels([label(20, 20)], 40, 40)).toEqual(['hidden']);
});
