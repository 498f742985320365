// Where a viewer would be sent, and why: asked for an address or a place, answered in words, bars and figures.

import type { Explained } from '../../explained/explained.ts';
import { part } from '../../player/page/dom.ts';
import type { Cluster } from '../messages.ts';
import { showCosts } from './explain/costs.ts';
import { showVerdict } from './explain/verdict.ts';
import { askExplanation } from './feed/ask.ts';
import { follow } from './feed/follow.ts';
import { SiteMap } from './map/site-map.ts';
import type { Spot } from './map/world.ts';
import { setText } from './parts/dom.ts';

/** Suggested while one types; any name may be typed. */
const MAX_SUGGESTIONS = 50;
const PLACE = /^\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*$/;

const stream = part<HTMLInputElement>(document, 'stream');
const from = part<HTMLInputElement>(document, 'from');
const map = await SiteMap.open(part(document, 'map'));
let cluster: Cluster | undefined;

readAddress();
follow({
  show: (heard) => {
    const isFirst = cluster === undefined;
    cluster = heard.cluster;
    map.show(cluster);
    if (isFirst) suggest(cluster);
  },
});
stream.addEventListener('focus', () => cluster && suggest(cluster));
part(document, 'ask').addEventListener('submit', (event) => {
  event.preventDefault();
  void explain();
});
map.onPlace(({ latitude, longitude }) => {
  from.value = `${latitude.toFixed(2)}, ${longitude.toFixed(2)}`;
  if (stream.value !== '') void explain();
});
if (stream.value !== '' && from.value !== '') void explain();

async function explain(): Promise<void> {
  const place = PLACE.exec(from.value);
  const spot = place ? { latitude: Number(place[1]), longitude: Number(place[2]) } : undefined;
  const whence = spot ? { place: `${spot.latitude},${spot.longitude}` } : { address: from.value.trim() };
  try {
    show(await askExplanation({ stream: stream.value.trim(), ...whence }));
    setText(part(document, 'problem'), '');
    writeAddress();
  } catch (error) {
    setText(part(document, 'problem'), error instanceof Error ? error.message : String(error));
  }
}

function show(explained: Explained): void {
  showVerdict(part(document, 'verdict'), explained);
  showCosts(part(document, 'costs'), explained);
  const { position } = explained.whence;
  const [first] = explained.choices;
  const chosen = explained.servers.find(({ id }) => first?.kind === 'server' && id === first.server);
  map.point(position as Spot | undefined, chosen?.site);
}

/** The question is in the address, so that it can be shared. */
function readAddress(): void {
  const query = new URLSearchParams(location.search);
  stream.value = query.get('stream') ?? '';
  from.value = query.get('from') ?? '';
}

function writeAddress(): void {
  const query = new URLSearchParams({ stream: stream.value, from: from.value });
  history.replaceState(null, '', `?${query}`);
}

function suggest({ streams }: Cluster): void {
  const names = Object.entries(streams)
    .sort(([, one], [, other]) => other.viewers - one.viewers)
    .slice(0, MAX_SUGGESTIONS)
    .map(([name]) => new Option(name));
  part(document, 'stream-list').replaceChildren(...names);
}
