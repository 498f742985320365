// What each server would cost, term by term: stacked bars, and the same as figures.

import type { Explained } from '../../../explained/explained.ts';
import { CDN_EXCLUSION_WORDS, exclusionText, HOLDING_WORDS, TERMS } from '../../../explained/words.ts';
import type { ExplainedServer, Terms } from '../../../placement/explain.ts';
import { element, part } from '../../../player/page/dom.ts';
import { makeScrollable } from '../parts/dom.ts';
import { counted } from '../parts/format.ts';

type Term = keyof Terms;

/** All are in the answer of the API. */
const MAX_ROWS = 50;

/** Terms that nobody has are left out. */
export function showCosts(section: HTMLElement, { servers, cdns, choices }: Explained): void {
  const shown = servers.slice(0, MAX_ROWS);
  const terms = TERMS.filter((term) => shown.some((server) => (server.terms?.[term] ?? 0) !== 0));
  const most = Math.max(1, ...shown.map(positive), ...cdns.map(({ microUsdPerHour }) => microUsdPerHour));
  part(section, 'legend').replaceChildren(...terms.map(legendItem));
  const chosen = choices.flatMap((choice) => (choice.kind === 'server' ? [choice.server] : [choice.cdn]));
  const table = part<HTMLTableElement>(section, 'terms');
  const body = element('tbody', '');
  body.append(
    ...shown.map((server) => serverRow(server, terms, most, chosen[0])),
    ...cdns.map(({ name, microUsdPerHour, excluded }) =>
      rowOf({
        name,
        kind: 'CDN',
        has: '',
        price: microUsdPerHour,
        bar: stackOf([['cdn', microUsdPerHour]], most),
        figures: terms.map(() => ''),
        why: excluded ? CDN_EXCLUSION_WORDS[excluded] : '',
        isChosen: chosen[0] === name,
        isExcluded: excluded !== undefined,
      }),
    ),
  );
  table.replaceChildren(element('caption', 'unseen', 'Servers, the cheapest first'), headOf(terms), body);
  makeScrollable(table.closest<HTMLElement>('.scroll')!, 'What each server would cost');
  section.hidden = false;
}

interface Row {
  readonly name: string;
  readonly kind: string;
  readonly has: string;
  readonly price: number | undefined;
  readonly bar: HTMLElement;
  readonly figures: readonly string[];
  readonly why: string;
  readonly isChosen: boolean;
  readonly isExcluded: boolean;
}

function serverRow(
  server: ExplainedServer,
  terms: readonly Term[],
  most: number,
  chosen: string | undefined,
): HTMLTableRowElement {
  const { id, site, state, copyFrom, microUsdPerHour, excluded, keepsBack } = server;
  return rowOf({
    name: id,
    kind: site,
    has: copyFrom ? `from ${copyFrom}` : HOLDING_WORDS[state],
    price: microUsdPerHour,
    bar: stackOf(
      terms.map((term) => [term, server.terms?.[term] ?? 0]),
      most,
    ),
    figures: terms.map((term) => amount(server.terms?.[term])),
    why: excluded ? exclusionText(excluded) : keepsBack ? 'keeps back for copies' : '',
    isChosen: id === chosen,
    isExcluded: excluded !== undefined,
  });
}

function rowOf({
  name,
  kind,
  has,
  price,
  bar,
  figures,
  why,
  isChosen,
  isExcluded,
}: Row): HTMLTableRowElement {
  const row = element('tr', isExcluded ? 'excluded' : isChosen ? 'chosen' : '');
  const head = element('th', 'name', name);
  head.scope = 'row';
  const stack = element('td', 'stack');
  stack.append(bar);
  row.append(
    head,
    element('td', '', kind),
    element('td', '', has),
    stack,
    element('td', 'number total-cost', amount(price)),
    ...figures.map((figure) => element('td', 'number wide', figure)),
    element('td', 'why', isChosen ? 'chosen' : why),
  );
  return row;
}

function headOf(terms: readonly Term[]): HTMLTableSectionElement {
  const head = element('thead', '');
  const row = element('tr', '');
  const titles = [
    ['Server', 'name'],
    ['Site', ''],
    ['Has it', ''],
    ['Share of each term', 'stack'],
    ['In all', 'number'],
    ...terms.map((term) => [term, 'number wide']),
    ['', 'why'],
  ] as const;
  for (const [title, className] of titles) {
    const cell = element(title === '' ? 'td' : 'th', className, title);
    if (cell instanceof HTMLTableCellElement && title !== '') cell.scope = 'col';
    row.append(cell);
  }
  head.append(row);
  return head;
}

/** For the eye: the figures beside it say the same. A term below nothing is in the sum alone. */
function stackOf(parts: readonly (readonly [kind: string, microUsd: number])[], most: number): HTMLElement {
  const stack = element('span', 'stack-bar');
  stack.ariaHidden = 'true';
  for (const [kind, microUsd] of parts) {
    if (microUsd <= 0) continue;
    const piece = element('span', '');
    piece.dataset['term'] = kind;
    piece.style.width = `${((100 * microUsd) / most).toFixed(2)}%`;
    stack.append(piece);
  }
  return stack;
}

function legendItem(term: Term): HTMLLIElement {
  const item = element('li', '');
  const colour = element('span', 'swatch');
  colour.dataset['term'] = term;
  item.append(colour, term);
  return item;
}

function positive({ terms }: ExplainedServer): number {
  return Object.values(terms ?? {}).reduce((sum, value) => sum + Math.max(0, value), 0);
}

function amount(microUsd: number | undefined): string {
  return microUsd === undefined ? '' : counted(microUsd);
}
