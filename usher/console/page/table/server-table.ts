// Tables of servers: what each sends and holds, whether it is well, and a button that drains it.

import type { ServerFigures } from '../../messages.ts';
import { DrainDialog, showDrain, showDrainButton } from '../parts/drain-dialog.ts';
import { counted, rate } from '../parts/format.ts';
import { bar, type Column, figure, named, words } from './columns.ts';
import { LiveTable } from './live-table.ts';

export interface ServerRow {
  readonly id: string;
  readonly server: ServerFigures;
  readonly nowMs: number;
}

/** Tables of one page share the dialog. */
export class ServerTables {
  readonly #dialog = new DrainDialog();

  make(table: HTMLTableElement, caption: string): LiveTable<ServerRow> {
    return new LiveTable({ table, caption, keyOf: ({ id }) => id, sortedBy: 0, columns: this.#columns() });
  }

  #columns(): Column<ServerRow>[] {
    return [
      named(
        'Server',
        ({ id }) => id,
        ({ id }) => `/console/servers/${encodeURIComponent(id)}`,
      ),
      bar(
        'Load',
        ({ server }) => loadOf(server),
        ({ server }) => `${rate(server.sentMbps)} of ${rate(server.egressMbps)}`,
      ),
      figure('Viewers', ({ server }) => server.viewers, counted),
      figure('Streams', ({ server }) => server.copies, counted, 'wide'),
      figure(
        'Jobs',
        ({ server }) => server.jobs ?? 0,
        (jobs, { server }) => (server.slots === undefined ? '' : `${jobs} of ${server.slots}`),
        'wide',
      ),
      words('Host', ({ server }) => server.host, 'wide'),
      words('Roles', ({ server }) => server.roles.join(' '), 'ladder wide'),
      {
        title: 'State',
        className: 'state drain',
        by: stateOf,
        show: (cell, { id, server, nowMs }) => showDrain(cell, id, server, nowMs),
      },
      {
        title: 'Drain',
        className: 'drain-action',
        show: (cell, { id, server }) =>
          showDrainButton(cell, id, server, (of, as) => this.#dialog.ask(of, as)),
      },
    ];
  }
}

export function loadOf({ sentMbps, egressMbps }: ServerFigures): number {
  return egressMbps > 0 ? sentMbps / egressMbps : 0;
}

function stateOf({ server }: ServerRow): string {
  return server.isDead ? 'a' : server.drain ? 'b' : 'c';
}
