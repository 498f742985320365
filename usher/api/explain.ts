// Why viewers are sent where they are: every server that there is for one who asks from an address or a place, with its price.

import { type Exchange, type Route, sendJson, sendProblem } from '../../network/http/http.ts';
import { formatAddress, parseAddress } from '../../network/map/address.ts';
import type { Atlas, Whence } from '../../network/map/atlas.ts';
import type { Position } from '../../network/map/position.ts';
import { quoted } from '../../network/names.ts';
import { explained } from '../explained.ts';
import type { Operators } from '../operators/operators.ts';
import { explain } from '../placement/explain.ts';
import type { Placer } from '../placement/placer.ts';

export interface ExplainOptions {
  readonly placer: Placer;
  readonly atlas: Pick<Atlas, 'locate'>;
  readonly site: string;
  readonly operators: Operators;
}

export function explainRoutes(options: ExplainOptions): Route[] {
  return [
    {
      kind: 'explain',
      method: 'GET',
      pattern: /^\/api\/explain$/,
      handle: (exchange) => sendExplanation(options, exchange),
    },
  ];
}

async function sendExplanation(
  { placer, atlas, site, operators }: ExplainOptions,
  exchange: Exchange,
): Promise<void> {
  if (!operators.admit(exchange)) return;
  const stream = exchange.query.get('stream') ?? '';
  const viewer = viewerIn(exchange, atlas);
  if (!viewer) return;
  const { name, whence } = viewer;
  // Whoever asks twice hears the same: equal servers are told apart by the address.
  const request = { stream, viewer: name, whence, site, allowCdn: true };
  const explanation = explain(await placer.scene(), request);
  if (explanation) sendJson(exchange, explained(explanation, name));
  else sendProblem(exchange, 404, 'Not Found', `no stream ${quoted(stream)} is live`);
}

interface Viewer {
  /** Its address, or its place where that is all that is known. */
  readonly name: string;
  readonly whence: Whence;
}

/** At an address, or somewhere: `place=52.3,4.8`. Undefined when it has been answered that it makes no sense. */
function viewerIn(exchange: Exchange, atlas: ExplainOptions['atlas']): Viewer | undefined {
  const { query } = exchange;
  const place = query.get('place');
  if (place !== null) {
    const position = positionIn(place);
    if (position) return { name: place, whence: { position } };
    const detail = `place=${quoted(place)} is no latitude and longitude, as 52.3,4.8`;
    sendProblem(exchange, 400, 'Bad Request', detail);
    return undefined;
  }
  const text = query.get('address') ?? '';
  const address = parseAddress(text);
  if (!address) {
    sendProblem(exchange, 400, 'Bad Request', `address=${quoted(text)} is no IP address`);
    return undefined;
  }
  const name = formatAddress(address);
  return { name, whence: atlas.locate(name) };
}

function positionIn(text: string): Position | undefined {
  const [, latitude = 91, longitude = 181] = /^(-?\d{1,2}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)$/.exec(text) ?? [];
  const position = { latitude: Number(latitude), longitude: Number(longitude) };
  return Math.abs(position.latitude) <= 90 && Math.abs(position.longitude) <= 180 ? position : undefined;
}
