import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyPatch, patchBetween } from '../../../usher/console/patch.ts';

/** Any JSON without null, with the names that are worst for objects. */
const key = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'toString', 'a', 'b'), fc.string());
const { table } = fc.letrec((tie) => ({
  leaf: fc.oneof(fc.integer(), fc.boolean(), fc.string(), fc.array(fc.string(), { maxLength: 3 })),
  value: fc.oneof({ depthSize: 'small' }, tie('leaf'), tie('table')),
  table: fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: false }),
}));
const overTheWire = (value: object): object => JSON.parse(JSON.stringify(value)) as object;

describe('a patch', () => {
  test('between any two messages makes the second of the first, also over the wire', () => {
    fc.assert(
      fc.property(table, table, (one, other) => {
        const [before, after] = [overTheWire(one as object), overTheWire(other as object)];
        const patch = patchBetween(before, after);
        const applied = patch ? applyPatch(before, overTheWire(patch)) : before;
        expect(JSON.parse(JSON.stringify(applied))).toEqual(after);
      }),
      { numRuns: 300 },
    );
  });

  test('of equal messages is none', () => {
    fc.assert(
      fc.property(table, (one) => {
        expect(patchBetween(one as object, overTheWire(one as object))).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  test('leaves what it does not name the same object', () => {
    const before = { servers: { a: { viewers: 1 }, b: { viewers: 2 } }, sites: { fra1: {} } };
    const after = applyPatch(before, { servers: { a: { viewers: 3 } } });
    expect(after.servers.b).toBe(before.servers.b);
    expect(after.sites).toBe(before.sites);
    expect(before.servers.a.viewers).toBe(1);
  });

  test('replaces a list as a whole, and what is null is gone', () => {
    const before = { roles: ['edge'], drain: { sinceMs: 1 } };
    const patch = patchBetween(before, { roles: ['edge', 'origin'] });
    expect({ ...patch }).toEqual({ roles: ['edge', 'origin'], drain: null });
  });
});
