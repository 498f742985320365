// The page of one server.

import { part } from '../../player/page/dom.ts';
import type { ServerFigures } from '../messages.ts';
import { keepCurves } from './charts/curves.ts';
import { OwnEvents } from './events/own-events.ts';
import { askServer } from './feed/ask.ts';
import { follow } from './feed/follow.ts';
import { DrainDialog, showDrain, showDrainButton } from './parts/drain-dialog.ts';
import { counted, countOf, percent, rate, strain } from './parts/format.ts';
import { type Total, Totals } from './parts/totals.ts';
import { keepHeldStreams } from './table/held-streams.ts';
import { loadOf } from './table/server-table.ts';

const id = document.body.dataset['name']!;
const totals = new Totals(part(document, 'totals'));
const events = new OwnEvents('server', id);
const dialog = new DrainDialog();

follow({
  happened: (list) => events.add(list),
  show: ({ cluster }) => {
    const server = cluster.servers[id];
    part(document, 'gone').hidden = server !== undefined;
    part(document, 'action').hidden = server === undefined;
    if (server) {
      totals.show(totalsOf(server));
      showDrain(part(document, 'standing'), id, server, cluster.nowMs);
      showDrainButton(part(document, 'action'), id, server, (of, as) => dialog.ask(of, as));
    }
    events.show(cluster.nowMs);
  },
});
keepCurves(part(document, 'curves'), `servers/${encodeURIComponent(id)}`);
keepHeldStreams(() => askServer(id));

function totalsOf(server: ServerFigures): Total[] {
  const { viewers, sentMbps, egressMbps, committedMbps, copies, jobs, slots, site, host, roles } = server;
  const load = loadOf(server);
  return [
    { title: 'Viewers', value: counted(viewers), note: `on ${countOf(copies, 'stream')}` },
    {
      title: 'Sent',
      value: rate(sentMbps),
      note: `${percent(load)} of ${rate(egressMbps)}`,
      strain: strain(load),
    },
    { title: 'Promised', value: rate(committedMbps), note: 'to viewers and copies' },
    { title: 'Site', value: site, note: `host ${host}` },
    {
      title: 'Roles',
      value: roles.length > 0 ? roles.join(', ') : 'none',
      note: slots === undefined ? '' : `${jobs ?? 0} of ${slots} encodings`,
    },
  ];
}
