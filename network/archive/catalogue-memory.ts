// The catalogue of a server that is alone.

import { type Catalogue, type CatalogueEntry, inCatalogueOrder, MAX_RECENT, streamOf } from './catalogue.ts';

export class MemoryCatalogue implements Catalogue {
  /** By stream, then by recording and keeper. */
  readonly #streams = new Map<string, Map<string, CatalogueEntry>>();

  async note(entry: CatalogueEntry): Promise<void> {
    const entries = this.#streams.getOrInsertComputed(entry.stream, () => new Map());
    entries.set(`${entry.id} ${entry.keeper}`, entry);
  }

  async drop(id: string, keeper: string): Promise<void> {
    const stream = streamOf(id);
    const entries = this.#streams.get(stream);
    entries?.delete(`${id} ${keeper}`);
    if (entries?.size === 0) this.#streams.delete(stream);
  }

  async list(stream: string): Promise<CatalogueEntry[]> {
    return inCatalogueOrder([...(this.#streams.get(stream)?.values() ?? [])]);
  }

  async recent(count: number): Promise<CatalogueEntry[]> {
    const entries = inCatalogueOrder([...this.#streams.values()].flatMap((each) => [...each.values()]));
    const newest = new Set([...new Set(entries.map(({ id }) => id))].slice(0, Math.min(count, MAX_RECENT)));
    return entries.filter(({ id }) => newest.has(id));
  }

  async streams(keeper: string): Promise<string[]> {
    const hasSaid = (entries: Map<string, CatalogueEntry>): boolean =>
      entries.values().some((entry) => entry.keeper === keeper);
    return [...this.#streams].flatMap(([stream, entries]) => (hasSaid(entries) ? [stream] : []));
  }

  /** There is nobody else. */
  async turn(): Promise<boolean> {
    return true;
  }
}
