// Reads files of routes into tables. It takes seconds for a million lines, and reads synchronously: it is for a thread of its own.

import { closeSync, openSync, readSync } from 'node:fs';
import { quoted } from '../../names.ts';
import { type Route, readRouteLine } from './route-line.ts';
import { RouteRows } from './route-rows.ts';
import { buildRouteTable, type RouteColumns } from './route-table.ts';

export interface RoutesRead {
  readonly ipv4: RouteColumns;
  readonly ipv6: RouteColumns;
  /** Lines that say something, those among them that make no sense, and the first few of these with their places. */
  readonly lines: number;
  readonly badLines: number;
  readonly firstBad: readonly string[];
}

/** Several times the whole Internet's; what holds more is not a route table. */
const MAX_ROUTES = 8_000_000;
const MAX_LINE_LENGTH = 64 * 1024;
const MAX_BAD_SHARE = 0.01;
const MAX_TOLD = 5;
const READ_BYTES = 256 * 1024;

/** Files of either family, or of both, become one table of each. Throws when they are not route tables. */
export function readRouteFiles(files: readonly string[]): RoutesRead {
  const reader = new RouteReader();
  for (const file of files) reader.read(file);
  return reader.end();
}

class RouteReader {
  readonly #ipv4 = new RouteRows(1);
  readonly #ipv6 = new RouteRows(4);
  readonly #firstBad: string[] = [];
  #lines = 0;
  #badLines = 0;

  read(file: string): void {
    let number = 0;
    for (const line of linesOf(file)) {
      number++;
      const route = readRouteLine(line);
      if (route === 'nothing') continue;
      this.#lines++;
      if (route === 'bad') this.#keepBad(`${file}:${number}: ${quoted(line)}`);
      else this.#add(route, file);
    }
  }

  end(): RoutesRead {
    const [lines, badLines, firstBad] = [this.#lines, this.#badLines, this.#firstBad];
    if (badLines > lines * MAX_BAD_SHARE) {
      throw new Error(`${badLines} of ${lines} lines make no sense, as ${firstBad.join(', ')}`);
    }
    if (lines === 0) throw new Error('there are no routes');
    const ipv4 = buildRouteTable(this.#ipv4).columns;
    const ipv6 = buildRouteTable(this.#ipv6).columns;
    return { ipv4, ipv6, lines, badLines, firstBad };
  }

  #keepBad(told: string): void {
    this.#badLines++;
    if (this.#firstBad.length < MAX_TOLD) this.#firstBad.push(told);
  }

  #add({ range, asn }: Route, file: string): void {
    const rows = range.first.length === 1 ? this.#ipv4 : this.#ipv6;
    rows.add(range, asn);
    if (rows.count > MAX_ROUTES) throw new Error(`there are more than ${MAX_ROUTES} routes in ${file}`);
  }
}

function* linesOf(file: string): Generator<string> {
  let rest = '';
  for (const text of textsOf(file)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    if (rest.length > MAX_LINE_LENGTH) throw new Error(`there is a line without an end in ${file}`);
    yield* lines;
  }
  yield rest;
}

/** What is read of a line is ASCII; names of networks, which may be more, are not read. */
function* textsOf(file: string): Generator<string> {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  const descriptor = openSync(file, 'r');
  try {
    for (;;) {
      const count = readSync(descriptor, buffer);
      if (count === 0) return;
      yield buffer.toString('latin1', 0, count);
    }
  } finally {
    closeSync(descriptor);
  }
}
