// Where the servers of a stream's tree stand: a column for each depth, leaves below each other, parents beside the middle of their children. Pure.

export interface TreeNode {
  readonly id: string;
  /** Null: the root, or one that has lost its parent. */
  readonly parent: string | null;
}

export interface Place {
  readonly depth: number;
  /** In rows; parents may stand between two. */
  readonly row: number;
}

export interface Layout {
  readonly places: ReadonlyMap<string, Place>;
  readonly rows: number;
  readonly columns: number;
}

const ALPHABET = new Intl.Collator('en', { numeric: true });

/** Whom nobody that is there feeds is a root too; of a circle, as there may be while parents change, the first is. */
export function layOut(nodes: readonly TreeNode[]): Layout {
  const sorted = nodes.toSorted((one, other) => ALPHABET.compare(one.id, other.id));
  const known = new Set(sorted.map(({ id }) => id));
  const children = Map.groupBy(sorted, ({ parent }) =>
    parent !== null && known.has(parent) ? parent : null,
  );
  const places = new Map<string, Place>();
  let rows = 0;
  const place = ({ id }: TreeNode, depth: number): void => {
    places.set(id, { depth, row: rows });
    const own = (children.get(id) ?? []).filter((child) => !places.has(child.id));
    for (const child of own) if (!places.has(child.id)) place(child, depth + 1);
    const below = own.map((child) => places.get(child.id)!.row);
    const row = below.length === 0 ? rows++ : (below[0]! + below.at(-1)!) / 2;
    places.set(id, { depth, row });
  };
  for (const root of [...(children.get(null) ?? []), ...sorted]) if (!places.has(root.id)) place(root, 0);
  const columns = Math.max(0, ...[...places.values()].map(({ depth }) => depth + 1));
  return { places, rows, columns };
}
